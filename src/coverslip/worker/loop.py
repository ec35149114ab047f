"""The worker: as many slots as it was given, each taking one item after the other."""

import asyncio
import contextlib
import logging

from coverslip.applications.registry import manifests
from coverslip.contract.worker import LeaseRequest, OfferedVersion
from coverslip.worker.api import WorkerApi
from coverslip.worker.engines.engine import Engine
from coverslip.worker.engines.opening import open_engine
from coverslip.worker.errors import NoApplicationInstalled, ServiceRefused, WorkerFault
from coverslip.worker.settings import WorkerSettings

_REFUSED_WAIT_S = 5.0
_REST_S = 30.0

log = logging.getLogger(__name__)


async def work_for_ever(settings: WorkerSettings) -> None:
    """Lease and process items until cancelled; what is being processed then is given back.

    Raises
    ------
    NoApplicationInstalled, WorkerSettingsInvalid
        Before any work.
    """
    request = LeaseRequest(worker_name=settings.worker_name, versions=_versions())
    api = WorkerApi(settings.api_root, settings.worker_token())
    async with (
        contextlib.aclosing(api),
        open_engine(settings, api) as engine,
        asyncio.TaskGroup() as slots,
    ):
        turn = asyncio.Lock()
        for _ in range(settings.worker_slots):
            slots.create_task(_slot(api, engine, request, turn))


def _versions() -> list[OfferedVersion]:
    versions = [
        OfferedVersion(application_id=manifest.application_id, version_number=version.number)
        for manifest in manifests()
        for version in manifest.versions
    ]
    if not versions:
        raise NoApplicationInstalled
    return versions


async def _slot(api: WorkerApi, engine: Engine, request: LeaseRequest, turn: asyncio.Lock) -> None:
    task = asyncio.current_task()
    assert task is not None
    while not task.cancelling():
        # One item, whatever is wrong with it, must never stop the worker.
        try:
            # One after the other, so that no two slots count on the same room.
            async with turn:
                offer = await engine.room()
                granted = await api.lease(request.model_copy(update=vars(offer)))
                if granted is None:
                    continue
                lease = granted.lease
                log.info("item %s of run %s, attempt %d", lease.item_id, lease.run_id, lease.attempt)
                # In a task of its own: CPython's task groups may leave theirs marked as cancelled; this one goes on.
                attempt = asyncio.create_task(engine.attempt(granted))
            await attempt
        except WorkerFault as fault:
            log.error("%s", fault)
            await asyncio.sleep(_REST_S)
        except ServiceRefused as refusal:
            log.error("%s", refusal)
            await asyncio.sleep(_REFUSED_WAIT_S)
        except asyncio.CancelledError:
            if task.cancelling():
                raise
            log.exception("an attempt was cancelled from within")
            await asyncio.sleep(_REFUSED_WAIT_S)
        except Exception:
            log.exception("an attempt ended unexpectedly")
            await asyncio.sleep(_REFUSED_WAIT_S)
