"""One attempt at one item: fetch, process, publish, report."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from coverslip.contract.worker import (
    MAX_ATTEMPT_LOG_BYTES,
    ArtifactPublishRequest,
    ArtifactUploadRequest,
    AttemptOutcome,
    HeartbeatRequest,
    Lease,
    ReportRequest,
)
from coverslip.slides.crc32c import crc32c_file
from coverslip.worker.api import WorkerApi
from coverslip.worker.engines.local import Limits, LocalProcess
from coverslip.worker.engines.messages import ArtifactWritten, Job, JobInput
from coverslip.worker.errors import (
    ApplicationFailed,
    ArtifactNotStored,
    InputFault,
    LeaseLost,
    PlatformFault,
    ServiceRefused,
)
from coverslip.worker.fetch.download import download, local_name
from coverslip.worker.scratch import attempt_folder

_CHECKSUM = "checksum_base64_crc32c"
_CHUNK_BYTES = 1024 * 1024
_MIN_HEARTBEAT_S = 0.5
_UPLOAD_ATTEMPTS = 5
_UPLOAD_RETRY_S = 0.5

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
    lease
        The item.
    """

    def __init__(
        self, api: WorkerApi, slides: httpx.AsyncClient, uploads: httpx.AsyncClient, scratch: Path, lease: Lease
    ) -> None:
        self._api = api
        self._slides = slides
        self._uploads = uploads
        self._scratch = scratch
        self._lease = lease
        self._stage = "fetching the slide"
        self._fraction = 0.0
        self._changed = asyncio.Event()
        self._process: LocalProcess | None = None

    async def run(self) -> None:
        """Work until the item has ended or its lease is lost; then nothing of it is left on this machine."""
        work = asyncio.create_task(self._work())
        heartbeats = asyncio.create_task(self._heartbeats())
        try:
            done, _ = await asyncio.wait({work, heartbeats}, return_when=asyncio.FIRST_COMPLETED)
            if work in done:
                await self._report(work.result())
        except LeaseLost:
            log.info("the lease of item %s was lost; its work is dropped", self._lease.item_id)
        finally:
            for task in (work, heartbeats):
                task.cancel()
            await asyncio.gather(work, heartbeats, return_exceptions=True)

    async def _heartbeats(self) -> None:
        """Ends only when the lease is lost."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), self._lease.heartbeat_s)
            self._changed.clear()
            request = HeartbeatRequest(stage=self._stage[:200], fraction=self._fraction)
            try:
                await self._api.heartbeat(self._lease.item_id, self._lease.lease_token, request)
            except LeaseLost:
                log.info("the lease of item %s was lost; stopping its application", self._lease.item_id)
                return
            await asyncio.sleep(_MIN_HEARTBEAT_S)

    def _progress(self, stage: str, fraction: float) -> None:
        self._stage, self._fraction = stage, fraction
        self._changed.set()

    async def _work(self) -> ReportRequest:
        try:
            with attempt_folder(self._scratch, self._lease.item_id, self._lease.attempt) as folder:
                return await self._process_item(folder)
        except InputFault as fault:
            return self._ended(AttemptOutcome.USER_ERROR, fault.code, str(fault))
        except PlatformFault as fault:
            return self._ended(AttemptOutcome.SYSTEM_ERROR, fault.code, str(fault))
        except ServiceRefused as refusal:
            return self._ended(AttemptOutcome.SYSTEM_ERROR, refusal.refusal_code, str(refusal))
        except OSError as error:
            return self._ended(AttemptOutcome.SYSTEM_ERROR, "WORKER.FAILED", f"The worker failed: {error}")

    def _ended(self, outcome: AttemptOutcome, code: str | None = None, message: str | None = None) -> ReportRequest:
        process = self._process
        return ReportRequest(
            outcome=outcome,
            error_code=code,
            error_message=message[:4096] if message else None,
            stage=self._stage[:200],
            log=process.log[-MAX_ATTEMPT_LOG_BYTES // 4 :] if process else "",
            peak_memory_mb=process.peak_memory_mb if process else None,
        )

    async def _process_item(self, folder: Path) -> ReportRequest:
        lease = self._lease
        outputs = folder / "outputs"
        outputs.mkdir()
        job = Job(
            application_id=lease.application_id,
            version_number=lease.version_number,
            item_id=str(lease.item_id),
            external_id=lease.external_id,
            inputs=await self._fetch_inputs(folder),
            outputs_directory=outputs,
        )
        self._process = LocalProcess(job, Limits(lease.memory_limit_mb, lease.time_limit_s), folder)
        uploads: list[asyncio.Task[None]] = []
        completed = False
        try:
            async with contextlib.aclosing(self._process.run()) as messages:
                async for message in messages:
                    match message.kind:
                        case "progress":
                            self._progress(message.stage, message.fraction)
                        case "artifact":
                            uploads.append(asyncio.create_task(self._publish(message, outputs)))
                        case "input_blamed":
                            return self._ended(AttemptOutcome.USER_ERROR, message.code, message.message)
                        case "raised":
                            raise ApplicationFailed(reason=message.reason)
                        case "completed":
                            completed = True
            for upload in uploads:
                await upload
        finally:
            for upload in uploads:
                upload.cancel()
            await asyncio.gather(*uploads, return_exceptions=True)
        if not completed:
            raise ApplicationFailed(reason="it ended before it was done")
        return self._ended(AttemptOutcome.SUCCEEDED)

    async def _fetch_inputs(self, folder: Path) -> dict[str, JobInput]:
        inputs: dict[str, JobInput] = {}
        for number, given in enumerate(self._lease.inputs):
            name = local_name(self._lease.external_id, given.metadata.get("media_type"))
            path = folder / f"input-{number}" / name
            path.parent.mkdir()
            await download(
                self._slides,
                given.download_url,
                path,
                name=self._lease.external_id,
                checksum_base64_crc32c=given.metadata.get(_CHECKSUM),
                progress=lambda fraction: self._progress("fetching the slide", fraction),
            )
            inputs[given.name] = JobInput(path=path, metadata=given.metadata)
        return inputs

    async def _publish(self, written: ArtifactWritten, outputs: Path) -> None:
        """Upload an artifact and make it available.

        Raises
        ------
        ApplicationFailed
            If the file is not one of the application's own.
        """
        path = written.path
        if not await asyncio.to_thread(_is_file_in, path, outputs):
            raise ApplicationFailed(reason=f"it gave '{written.name}' a file that is not in its output folder")
        lease = self._lease
        request = await asyncio.to_thread(_upload_request, written.name, path)
        url = await self._api.sign_artifact(lease.item_id, lease.lease_token, request)
        if url is None:
            return
        await self._upload(url, path, request)
        publication = ArtifactPublishRequest(**request.model_dump(), metadata=written.metadata)
        await self._api.publish_artifact(lease.item_id, lease.lease_token, publication)

    async def _upload(self, url: str, path: Path, request: ArtifactUploadRequest) -> None:
        reason = ""
        for attempt in range(_UPLOAD_ATTEMPTS):
            if attempt:
                await asyncio.sleep(_UPLOAD_RETRY_S * 2**attempt)
            headers = {"Content-Length": str(request.size_bytes), "Content-Type": "application/octet-stream"}
            try:
                response = await self._uploads.put(url, content=_chunks(path), headers=headers)
            except httpx.TransportError as error:
                reason = str(error) or type(error).__name__
                continue
            if response.is_success:
                return
            reason = f"the store answered {response.status_code}: {response.text[:300]}"
        raise ArtifactNotStored(name=request.name, reason=reason)

    async def _report(self, request: ReportRequest) -> None:
        self._stage = request.stage
        await self._api.report(self._lease.item_id, self._lease.lease_token, request)
        log.info("item %s, attempt %d: %s", self._lease.item_id, self._lease.attempt, request.outcome)


def _is_file_in(path: Path, folder: Path) -> bool:
    """Whether ``path`` is a file below ``folder``, and no link out of it."""
    return path.resolve().is_relative_to(folder.resolve()) and path.is_file()


def _upload_request(name: str, path: Path) -> ArtifactUploadRequest:
    checksum = crc32c_file(path)
    return ArtifactUploadRequest(name=name, size_bytes=path.stat().st_size, checksum_base64_crc32c=checksum)


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
            yield chunk
