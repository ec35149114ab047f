"""The engine that the settings ask for."""

import importlib.util
from contextlib import AbstractAsyncContextManager

from coverslip.worker.api import WorkerApi
from coverslip.worker.engines.engine import Engine
from coverslip.worker.engines.local import local_engine
from coverslip.worker.errors import RayExtraMissing
from coverslip.worker.settings import EngineName, WorkerSettings


def open_engine(settings: WorkerSettings, api: WorkerApi) -> AbstractAsyncContextManager[Engine]:
    """An engine, which gives up what it holds when the context ends.

    Raises
    ------
    RayExtraMissing
    RayClusterAway
    """
    if settings.engine is EngineName.LOCAL:
        return local_engine(settings, api)
    if importlib.util.find_spec("ray") is None:
        raise RayExtraMissing
    from coverslip.worker.engines.ray.opening import ray_engine  # it takes a second to import

    return ray_engine(settings, api)
