"""Joining a Ray cluster, and leaving it."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator

import ray

from coverslip.worker.api import WorkerApi
from coverslip.worker.engines.ray.engine import RayEngine
from coverslip.worker.errors import RayClusterAway
from coverslip.worker.settings import WorkerSettings

_AUTO = "auto"
_KNOCK_S = 10.0


@contextlib.asynccontextmanager
async def ray_engine(settings: WorkerSettings, api: WorkerApi) -> AsyncIterator[RayEngine]:
    """An engine on the nodes of a cluster, on whose scratch disks workers that are gone have left nothing.

    When the context ends, or this process does, Ray ends whatever it started there.

    Raises
    ------
    RayClusterAway
    """
    await _knock(settings.ray_address)
    await asyncio.to_thread(_join, settings.ray_address)
    _take_signals_back()
    try:
        engine = RayEngine(settings, api)
        await engine.clean_up()
        yield engine
    finally:
        await asyncio.to_thread(ray.shutdown)


async def _knock(address: str) -> None:
    """See whether anybody is there: Ray would try for a quarter of an hour, and could not be interrupted."""
    host, _, port = address.rpartition(":")
    if address == _AUTO:
        return
    try:
        async with asyncio.timeout(_KNOCK_S):
            _, connection = await asyncio.open_connection(host, int(port))
    except TimeoutError:
        raise RayClusterAway(address=address, reason=f"nobody answers within {_KNOCK_S:.0f} s") from None
    except OSError as error:
        raise RayClusterAway(address=address, reason=error.strerror or type(error).__name__) from None
    connection.close()


def _join(address: str) -> None:
    """Become a driver of the cluster. Not in the main thread, where Ray would take over SIGTERM."""
    try:
        ray.init(address=address, namespace="coverslip", logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise RayClusterAway(address=address, reason=" ".join(str(error).split())) from None


def _take_signals_back() -> None:
    """Ray's native part has put handlers of its own in the place of Python's; they print where the process was."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.getsignal(number))
