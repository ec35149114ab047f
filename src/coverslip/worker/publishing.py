"""Publishing an application's files: each is uploaded to the store, then made available."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from coverslip.contract.worker import ArtifactPublishRequest, ArtifactUploadRequest, Lease
from coverslip.slides.crc32c import crc32c_file
from coverslip.worker.api import WorkerApi
from coverslip.worker.engines.messages import ArtifactWritten
from coverslip.worker.errors import ApplicationFailed, ArtifactNotStored

_CHUNK_BYTES = 1024 * 1024
_PARALLEL = 4
_RETRY_FROM_S = 0.2
_RETRY_TO_S = 15.0
_PATIENCE_S = 600.0  # with a store that is away
_REFUSALS = 3  # of a store that is there; each time with a new URL
_HEAD_START_S = 120.0
_SLOWEST_BYTES_PER_S = 64 * 1024

log = logging.getLogger(__name__)


class Publisher:
    """Publishes the artifacts of one item.

    Parameters
    ----------
    api
        The service.
    uploads
        Puts files into the store.
    lease
        The item.
    outputs
        The application's folder; nothing outside is published.
    """

    def __init__(self, api: WorkerApi, uploads: httpx.AsyncClient, lease: Lease, outputs: Path) -> None:
        self._api = api
        self._uploads = uploads
        self._lease = lease
        self._outputs = outputs
        self._turns = asyncio.Semaphore(_PARALLEL)

    async def publish(self, written: ArtifactWritten) -> None:
        """Upload an artifact and make it available.

        Raises
        ------
        ApplicationFailed
            If the file is not one of the application's own.
        ArtifactNotStored
            If the store does not take it.
        LeaseLost, ServiceRefused
            If the service does not.
        """
        async with self._turns:
            path, request = await asyncio.to_thread(self._announcement, written)
            if await self._upload(path, request):
                publication = ArtifactPublishRequest(**request.model_dump(), metadata=written.metadata)
                await self._api.publish_artifact(self._lease.item_id, self._lease.lease_token, publication)

    def _announcement(self, written: ArtifactWritten) -> tuple[Path, ArtifactUploadRequest]:
        path = written.path.resolve()
        if not path.is_relative_to(self._outputs.resolve()) or not path.is_file():
            raise ApplicationFailed(reason=f"it gave '{written.name}' a file that is not in its output folder")
        checksum = crc32c_file(path)
        size_bytes = path.stat().st_size
        return path, ArtifactUploadRequest(name=written.name, size_bytes=size_bytes, checksum_base64_crc32c=checksum)

    async def _upload(self, path: Path, request: ArtifactUploadRequest) -> bool:
        """Upload a file; False if an earlier attempt has published it."""
        now = asyncio.get_running_loop().time
        give_up_at = now() + _PATIENCE_S
        delay_s = _RETRY_FROM_S
        refusals = 0
        while True:
            # A URL of its own each time: the last one may have expired meanwhile.
            url = await self._api.sign_artifact(self._lease.item_id, self._lease.lease_token, request)
            if url is None:
                return False
            try:
                response = await self._put(url, path, request)
            except (httpx.TransportError, TimeoutError) as error:
                reason = str(error) or type(error).__name__
            else:
                if response.is_success:
                    return True
                # What the store says about itself stays out of here: it may quote the signed URL.
                reason = f"the store answered {response.status_code} {response.reason_phrase}"
                refusals += response.is_client_error
            log.warning("item %s, artifact '%s': %s", self._lease.item_id, request.name, reason)
            if refusals == _REFUSALS or now() > give_up_at:
                raise ArtifactNotStored(name=request.name, reason=reason)
            await asyncio.sleep(delay_s)
            delay_s = min(2 * delay_s, _RETRY_TO_S)

    async def _put(self, url: str, path: Path, request: ArtifactUploadRequest) -> httpx.Response:
        headers = {"Content-Length": str(request.size_bytes), "Content-Type": "application/octet-stream"}
        async with asyncio.timeout(_HEAD_START_S + request.size_bytes / _SLOWEST_BYTES_PER_S):
            return await self._uploads.put(url, content=_chunks(path, request), headers=headers)


def uploads_client() -> httpx.AsyncClient:
    """Puts files into the store, which may check a large one before it answers."""
    timeout = httpx.Timeout(10, read=300, write=60)
    return httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(), timeout=timeout, trust_env=False)


async def _chunks(path: Path, request: ArtifactUploadRequest) -> AsyncIterator[bytes]:
    left = request.size_bytes
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
            left -= len(chunk)
            if left < 0:
                break
            yield chunk
    if left:
        raise ApplicationFailed(reason=f"it changed the file of '{request.name}' after writing it")
