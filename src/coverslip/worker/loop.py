"""The worker: as many slots as it was given, each taking one item after the other."""

import asyncio
import contextlib
import logging

import httpx

from coverslip.applications.registry import manifests
from coverslip.contract.worker import LeaseRequest, OfferedVersion
from coverslip.worker.api import WorkerApi
from coverslip.worker.attempt import Attempt
from coverslip.worker.errors import ServiceRefused
from coverslip.worker.fetch.guard import AllowList, GuardedTransport
from coverslip.worker.scratch import clean_up
from coverslip.worker.settings import WorkerSettings

_WAIT_S = 20.0
_REFUSED_WAIT_S = 5.0

log = logging.getLogger(__name__)


async def work_for_ever(settings: WorkerSettings) -> None:
    """Lease and process items until cancelled; what is being processed then is given up, and leased anew later."""
    clean_up(settings.scratch)
    offers = [
        OfferedVersion(application_id=manifest.application_id, version_number=version.number)
        for manifest in manifests()
        for version in manifest.versions
    ]
    request = LeaseRequest(worker_name=settings.worker_name, versions=offers, wait_s=_WAIT_S)
    api = WorkerApi(settings.api_root, settings.worker_token_file.read_text().strip())
    transport = GuardedTransport(AllowList(settings.fetch_allow))
    timeout = httpx.Timeout(10, read=60, write=60)
    async with (
        contextlib.aclosing(api),
        httpx.AsyncClient(transport=transport, timeout=timeout, follow_redirects=True) as slides,
        httpx.AsyncClient(timeout=timeout, trust_env=False) as uploads,
        asyncio.TaskGroup() as slots,
    ):
        for _ in range(settings.worker_slots):
            slots.create_task(_slot(api, slides, uploads, settings, request))


async def _slot(
    api: WorkerApi,
    slides: httpx.AsyncClient,
    uploads: httpx.AsyncClient,
    settings: WorkerSettings,
    request: LeaseRequest,
) -> None:
    while True:
        try:
            lease = await api.lease(request)
            if lease is not None:
                log.info("item %s of run %s, attempt %d", lease.item_id, lease.run_id, lease.attempt)
                await Attempt(api, slides, uploads, settings.scratch, lease).run()
        except ServiceRefused as refusal:
            log.error("%s", refusal)
            await asyncio.sleep(_REFUSED_WAIT_S)
        except Exception:
            # One item, whatever is wrong with it, must never stop the worker; its lease expires.
            log.exception("an attempt ended unexpectedly")
            await asyncio.sleep(_REFUSED_WAIT_S)
