"""One attempt at one item: fetch, process, publish, report."""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path

import httpx

from coverslip.applications.errors import UserError
from coverslip.applications.registry import is_reusable
from coverslip.contract.attempts import AttemptOutcome, ExitCause
from coverslip.contract.worker import InputContent, ReportRequest, ReuseRequest
from coverslip.models.chosen import chosen_identities
from coverslip.models.settings import ModelSettings
from coverslip.telemetry.ids import working_on
from coverslip.telemetry.traces import span
from coverslip.worker.api import Granted, WorkerApi
from coverslip.worker.engines.messages import Job, JobInput, storable
from coverslip.worker.engines.process import ApplicationProcess, Limits
from coverslip.worker.errors import (
    ApplicationCrashed,
    ApplicationFailed,
    InputFault,
    LeaseLost,
    PlatformFault,
    ServiceAway,
    ServiceRefused,
    WorkerFailed,
    WorkerFault,
    WorkerStopped,
)
from coverslip.worker.fetch.download import download, local_name
from coverslip.worker.held_lease import HeldLease
from coverslip.worker.publishing import Publisher
from coverslip.worker.scratch import attempt_folder
from coverslip.worker.task_group import task_group

_CHECKSUM = "checksum_base64_crc32c"
_FETCHING = "fetching the slide"
_STARTING = "starting the application"
_STORING = "storing the results"
_LAST_WORDS_S = 2.0

log = logging.getLogger(__name__)


class Attempt:
    """Takes a leased item to its end.

    Parameters
    ----------
    api
        The service.
    slides
        Fetches inputs; with a guarded transport.
    uploads
        Puts artifacts into the store.
    scratch
        Where the attempt's folder is made.
    granted
        The item.
    models
        Those that its application uses.
    gpus
        The graphics processors that its application may use; None for those that this process may.
    """

    def __init__(
        self,
        api: WorkerApi,
        slides: httpx.AsyncClient,
        uploads: httpx.AsyncClient,
        scratch: Path,
        granted: Granted,
        models: ModelSettings,
        gpus: tuple[str, ...] | None = None,
    ) -> None:
        self._api = api
        self._slides = slides
        self._uploads = uploads
        self._scratch = scratch
        self._lease = granted.lease
        self._models = models
        self._gpus = gpus
        self._held = HeldLease(api, granted)
        self._process: ApplicationProcess | None = None
        self._end: ReportRequest | None = None
        self._fault: WorkerFault | None = None

    async def run(self) -> None:
        """Work until the item has ended or its lease is lost; then nothing of it is left on this machine.

        Raises
        ------
        WorkerFault
            If the item, which was reported, met a fault that the next one will meet too.
        """
        lease = self._lease
        ids = {"run_id": lease.run_id, "item_id": lease.item_id, "attempt": lease.attempt}
        with working_on(**ids), span("attempt", {"application_id": lease.application_id, **ids}):
            await self._run()

    async def _run(self) -> None:
        try:
            async with task_group() as tasks:
                keeping = tasks.create_task(self._held.keep())
                self._end = await self._work()
                self._held.end()
                await self._report(self._end)
                keeping.cancel()
        except LeaseLost:
            log.info("the lease of item %s is gone; what was done for it is dropped", self._lease.item_id)
        except (ServiceRefused, ServiceAway) as failure:
            log.error("the report of item %s failed; its lease will expire: %s", self._lease.item_id, failure)
        except asyncio.CancelledError:
            await self._give_back()
            raise
        if self._fault is not None:
            raise self._fault

    async def _report(self, end: ReportRequest) -> None:
        await self._api.report(self._lease.item_id, self._lease.lease_token, end)
        log.info("item %s, attempt %d: %s", self._lease.item_id, self._lease.attempt, end.error_code or end.outcome)

    async def _give_back(self) -> None:
        """Let another worker have the item at once, not only when the lease has expired."""
        with contextlib.suppress(TimeoutError, LeaseLost, ServiceRefused):
            async with asyncio.timeout(_LAST_WORDS_S):
                await self._report(self._end or self._failed(WorkerStopped()))

    async def _work(self) -> ReportRequest:
        try:
            async with attempt_folder(self._scratch, self._lease.item_id, self._lease.attempt) as folder:
                await self._process_item(folder)
        except LeaseLost:
            raise
        except (InputFault, UserError) as fault:
            return self._ended(AttemptOutcome.USER_ERROR, fault.code, str(fault))
        except ServiceRefused as refusal:
            return self._ended(
                AttemptOutcome.SYSTEM_ERROR, refusal.refusal_code, str(refusal), exit_cause=refusal.exit_cause
            )
        except PlatformFault as fault:
            return self._failed(fault)
        except Exception as error:
            # Whatever is wrong with one item, its submitter hears that it failed. Details may hold secrets.
            log.exception("item %s, attempt %d failed unexpectedly", self._lease.item_id, self._lease.attempt)
            reason = error.strerror if isinstance(error, OSError) else None
            return self._failed(WorkerFailed(reason=reason or type(error).__name__))
        return self._ended(AttemptOutcome.SUCCEEDED)

    def _failed(self, fault: PlatformFault) -> ReportRequest:
        if isinstance(fault, WorkerFault):
            self._fault = fault
        ended_by = str(fault.facts["signal"]) if isinstance(fault, ApplicationCrashed) else None
        return self._ended(
            AttemptOutcome.SYSTEM_ERROR, fault.code, str(fault), exit_cause=fault.exit_cause, ended_by=ended_by
        )

    def _ended(
        self,
        outcome: AttemptOutcome,
        code: str | None = None,
        message: str | None = None,
        *,
        exit_cause: ExitCause | None = None,
        ended_by: str | None = None,
    ) -> ReportRequest:
        process = self._process
        return ReportRequest(
            outcome=outcome,
            error_code=storable(code)[:128] if code else None,
            error_message=storable(message)[:4096] if message else None,
            stage=self._held.stage,
            stages=self._held.stages.durations(),
            exit_cause=exit_cause,
            ended_by=ended_by,
            log=process.log if process else "",
            peak_memory_mb=process.peak_memory_mb if process else None,
        )

    async def _process_item(self, folder: Path) -> None:
        lease = self._lease
        outputs = folder / "outputs"
        outputs.mkdir()
        with span("fetching"):
            inputs = await self._fetch_inputs(folder)
        if is_reusable(lease.application_id, lease.version_number) and await self._reuse(inputs):
            return
        job = Job(
            application_id=lease.application_id,
            version_number=lease.version_number,
            item_id=str(lease.item_id),
            external_id=lease.external_id,
            inputs=inputs,
            outputs_directory=outputs,
            environment=self._models.environment(),
        )
        limits = Limits(lease.memory_limit_mb, lease.time_limit_s, self._gpus)
        self._process = ApplicationProcess(job, limits, folder)
        self._held.progress(_STARTING, 0.0)
        with span("processing"):
            await self._follow(self._process, Publisher(self._api, self._uploads, lease, outputs))

    async def _follow(self, process: ApplicationProcess, publisher: Publisher) -> None:
        """Take in what the application says until its end, and publish what it writes."""
        completed = False
        # An artifact that cannot be published ends the application at once.
        async with task_group() as uploads:
            async with contextlib.aclosing(process.run()) as messages:
                async for message in messages:
                    match message.kind:
                        case "progress":
                            self._held.progress(message.stage, message.fraction)
                        case "artifact":
                            uploads.create_task(publisher.publish(message))
                        case "input_blamed":
                            raise UserError(message.code, message.message)
                        case "raised":
                            raise ApplicationFailed(reason=message.reason)
                        case "completed":
                            completed = True
            if not completed:
                raise ApplicationFailed(reason="it ended before it was done")
            self._held.progress(_STORING, 1.0)

    async def _reuse(self, inputs: Mapping[str, JobInput]) -> bool:
        """Whether the service had the results of an earlier item with the same inputs; they are this one's then."""
        contents = [
            InputContent(name=name, file_name=given.path.name, sha256=await asyncio.to_thread(_sha256, given.path))
            for name, given in inputs.items()
        ]
        models = await asyncio.to_thread(chosen_identities, self._models)
        lease = self._lease
        return await self._api.reuse(lease.item_id, lease.lease_token, ReuseRequest(inputs=contents, models=models))

    async def _fetch_inputs(self, folder: Path) -> dict[str, JobInput]:
        inputs: dict[str, JobInput] = {}
        self._held.progress(_FETCHING, 0.0)
        for number, given in enumerate(self._lease.inputs):
            path = folder / f"input-{number}" / local_name(self._lease.external_id, given.metadata.get("media_type"))
            path.parent.mkdir()
            await download(
                self._slides,
                given.download_url,
                path,
                name=self._lease.external_id,
                checksum_base64_crc32c=given.metadata.get(_CHECKSUM),
                progress=lambda fraction: self._held.progress(_FETCHING, fraction),
            )
            inputs[given.name] = JobInput(path=path, metadata=given.metadata)
        return inputs


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
