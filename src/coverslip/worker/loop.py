"""The worker: as many slots as it was given, each taking one item after the other."""

import asyncio
import contextlib
import logging
from pathlib import Path

import httpx

from coverslip.applications.registry import manifests
from coverslip.contract.worker import LeaseRequest, OfferedVersion
from coverslip.fetching.allow_list import AllowList
from coverslip.fetching.guard import guarded_client
from coverslip.worker.api import WorkerApi
from coverslip.worker.attempt import Attempt
from coverslip.worker.errors import NoApplicationInstalled, ServiceRefused, WorkerFault
from coverslip.worker.scratch import clean_up
from coverslip.worker.settings import WorkerSettings

_WAIT_S = 20.0
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
    request = LeaseRequest(worker_name=settings.worker_name, versions=_offers(), wait_s=_WAIT_S)
    api = WorkerApi(settings.api_root, settings.worker_token())
    clean_up(settings.scratch)
    async with (
        contextlib.aclosing(api),
        slides_client(AllowList(settings.fetch_allow)) as slides,
        uploads_client() as uploads,
        asyncio.TaskGroup() as slots,
    ):
        for _ in range(settings.worker_slots):
            slots.create_task(_slot(api, slides, uploads, settings.scratch, request))


def slides_client(allowed: AllowList) -> httpx.AsyncClient:
    """Fetches slides from addresses that users gave."""
    return guarded_client(allowed, httpx.Timeout(10, read=30))


def uploads_client() -> httpx.AsyncClient:
    """Puts files into the store, which may check a large one before it answers."""
    timeout = httpx.Timeout(10, read=300, write=60)
    return httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(), timeout=timeout, trust_env=False)


def _offers() -> list[OfferedVersion]:
    offers = [
        OfferedVersion(application_id=manifest.application_id, version_number=version.number)
        for manifest in manifests()
        for version in manifest.versions
    ]
    if not offers:
        raise NoApplicationInstalled
    return offers


async def _slot(
    api: WorkerApi, slides: httpx.AsyncClient, uploads: httpx.AsyncClient, scratch: Path, request: LeaseRequest
) -> None:
    task = asyncio.current_task()
    assert task is not None
    while not task.cancelling():
        # One item, whatever is wrong with it, must never stop the worker.
        try:
            granted = await api.lease(request)
            if granted is not None:
                lease = granted.lease
                log.info("item %s of run %s, attempt %d", lease.item_id, lease.run_id, lease.attempt)
                # In a task of its own: CPython's task groups may leave theirs marked as cancelled; this one goes on.
                await asyncio.create_task(Attempt(api, slides, uploads, scratch, granted).run())
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
