"""Attempts on this machine, in this process; only their applications have processes of their own."""

import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx

from coverslip.applications.registry import manifests
from coverslip.contract.worker import Room
from coverslip.fetching.allow_list import AllowList
from coverslip.models.settings import ModelSettings
from coverslip.worker.api import Granted, WorkerApi
from coverslip.worker.attempt import Attempt
from coverslip.worker.engines.engine import Offer, needs_of
from coverslip.worker.engines.machine import Machine, machine_of
from coverslip.worker.fetch.client import slides_client
from coverslip.worker.publishing import uploads_client
from coverslip.worker.scratch import clean_up
from coverslip.worker.settings import EngineName, WorkerSettings

_LOOK_AGAIN_S = 2.0

log = logging.getLogger(__name__)


class LocalEngine:
    """The `Engine` of one machine. `local_engine` makes one.

    Parameters
    ----------
    api
        The service.
    slides
        Fetches inputs; with a guarded transport.
    uploads
        Puts artifacts into the store.
    scratch
        Where the folders of the attempts are made.
    machine
        What there is room for; None if somebody else sees to that.
    models
        Those that applications use.
    """

    def __init__(
        self,
        api: WorkerApi,
        slides: httpx.AsyncClient,
        uploads: httpx.AsyncClient,
        scratch: Path,
        machine: Machine | None,
        models: ModelSettings,
    ) -> None:
        self._api = api
        self._slides = slides
        self._uploads = uploads
        self._scratch = scratch
        self._machine = machine
        self._models = models

    async def room(self) -> Offer:
        """See `Engine`."""
        if self._machine is None:
            return Offer()
        await self._machine.wait_for_room()
        offer = Offer(self._machine.free, self._machine.total)
        # An item that ends meanwhile leaves room for a larger one than was asked for.
        return offer if self._machine.is_empty else replace(offer, wait_s=_LOOK_AGAIN_S)

    async def attempt(self, granted: Granted) -> None:
        """See `Engine`."""
        needs = needs_of(granted.lease)
        # The room is taken before this waits for anything, so before the next item is asked for.
        with contextlib.nullcontext() if self._machine is None else self._machine.reserved(needs) as gpus:
            await Attempt(self._api, self._slides, self._uploads, self._scratch, granted, self._models, gpus).run()


@contextlib.asynccontextmanager
async def local_engine(settings: WorkerSettings, api: WorkerApi) -> AsyncIterator[LocalEngine]:
    """An engine with its connections, on a scratch disk that workers which are gone have left nothing on."""
    clean_up(settings.scratch)
    async with slides_client(AllowList(settings.fetch_allow)) as slides, uploads_client() as uploads:
        # On a node of a cluster, the cluster keeps the room.
        machine = machine_of(settings) if settings.engine is EngineName.LOCAL else None
        if machine is not None:
            _warn_of_what_never_fits(machine.total)
        yield LocalEngine(api, slides, uploads, settings.scratch, machine, settings)


def _warn_of_what_never_fits(total: Room) -> None:
    for manifest in manifests():
        for version in manifest.versions:
            if not version.resources.fit_into(total):
                log.warning(
                    "this worker gets no items of %s %s, which need %s; it has %s. COVERSLIP_WORKER_CPU, "
                    "COVERSLIP_WORKER_MEMORY_MB and COVERSLIP_WORKER_GPU say otherwise.",
                    manifest.application_id,
                    version.number,
                    version.resources,
                    total,
                )
