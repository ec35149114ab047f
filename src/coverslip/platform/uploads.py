"""Upload one slide: in parts, each checked by the store, going on where an earlier upload stopped."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import httpx

from coverslip.contract.uploads import UploadCreateRequest, UploadPart, UploadResponse
from coverslip.platform.api import ACCEPT
from coverslip.platform.connection import ATTEMPTS, reason_of, wait_s
from coverslip.platform.errors import FileChanged, FileUnreadable, Refused, TransferCut
from coverslip.platform.layout import safe_name
from coverslip.platform.objects import Objects
from coverslip.platform.problems import problem_of, refusal
from coverslip.slides.crc32c import Crc32c, crc32c_file

CHUNK_BYTES = 1024 * 1024
MEDIA_TYPE = "application/octet-stream"
DEFAULT_PREFIX = "slides"
FOR_GOOD = frozenset({410, 411, 413, 422, 507})
"""Answers to a PUT that another attempt would not change. Stores on a file system say 404 of a folder just removed, and
ours says 409 if somebody else has completed the upload meanwhile."""

PARALLEL_PARTS = 3
"""While the store writes one part to its disk and the client checksums another, a third is on its way."""

Progress = Callable[[int, int], None]
"""Called with the bytes sent so far and the bytes in all, by one thread at a time."""


class _Stopped(Exception):
    """Ends the sending of one part, because the upload has failed or was interrupted."""


@dataclass(frozen=True)
class UploadedSlide:
    """A slide in the bucket; `sent` is False when it was there already."""

    object_key: str
    download_url: str
    sent: bool


def upload_slide(
    http: httpx.Client,
    objects: Objects,
    path: Path,
    checksum_base64_crc32c: str,
    on_progress: Progress | None = None,
    *,
    prefix: str = DEFAULT_PREFIX,
) -> UploadedSlide:
    """Send a slide to the organization's bucket, or what is missing of it there.

    Raises
    ------
    FileChanged
        If the file is not the one of which this is the checksum.
    FileUnreadable
    TransferCut
        If four attempts at one part failed. What arrived stays, and the next upload goes on with the rest.
    ServerDiskFull, Refused
    """
    try:
        size_bytes = path.stat().st_size
    except OSError as error:
        raise FileUnreadable(path=path, reason=error.strerror or error) from error
    request = UploadCreateRequest(
        name=f"{prefix.strip('/')}/{safe_name(path.name)}",
        size_bytes=size_bytes,
        checksum_base64_crc32c=checksum_base64_crc32c,
    )
    upload = objects.begin(request)
    if upload.complete:
        return _uploaded(upload, sent=False)
    transfer = _Transfer(http, objects, path, upload, checksum_base64_crc32c, on_progress or (lambda done, total: None))
    return _uploaded(transfer.run(), sent=True)


class _Transfer:
    """Sends the missing parts of one file, several at a time."""

    def __init__(
        self,
        http: httpx.Client,
        objects: Objects,
        path: Path,
        upload: UploadResponse,
        checksum_base64_crc32c: str,
        on_progress: Progress,
    ) -> None:
        self._http = http
        self._objects = objects
        self._path = path
        self._upload = upload
        self._checksum = checksum_base64_crc32c
        self._on_progress = on_progress
        self._size_bytes = path.stat().st_size
        self._arrived = self._size_bytes - sum(part.size_bytes for part in upload.missing_parts)
        self._sent = dict.fromkeys((part.number for part in upload.missing_parts), 0)
        self._reporting = threading.Lock()
        self._stop = threading.Event()

    def run(self) -> UploadResponse:
        with ThreadPoolExecutor(PARALLEL_PARTS, thread_name_prefix="part") as pool:
            sendings = [pool.submit(self._send_or_stop, part) for part in self._upload.missing_parts]
            try:
                wait(sendings)
            finally:
                self._stop.set()  # if the person interrupts
        for error in (sending.exception() for sending in sendings):
            if error is not None and not isinstance(error, _Stopped):
                raise error
        try:
            return self._objects.complete(self._upload.upload_id)
        except Refused as error:
            self._blame_changed_file(error.problem.status)
            raise

    def _send_or_stop(self, part: UploadPart) -> None:
        """Send a part; one that cannot be sent ends the sending of all."""
        if self._stop.is_set():
            raise _Stopped
        try:
            self._send(part)
        except BaseException:
            self._stop.set()
            raise

    def _send(self, part: UploadPart) -> None:
        reason: object = ""
        for attempt in range(ATTEMPTS):
            # Signed anew for each attempt: URLs expire, and the file may have changed.
            url = self._objects.sign_part(self._upload.upload_id, part.number, self._checksum_of(part))
            headers = {"Content-Length": str(part.size_bytes), "Content-Type": MEDIA_TYPE, "Accept": ACCEPT}
            try:
                response = self._http.put(url, content=self._chunks(part), headers=headers)
            except httpx.LocalProtocolError as error:  # the file shrank while it was read
                raise FileChanged(path=self._path) from error
            except httpx.TransportError as error:
                reason = reason_of(error)
            else:
                if response.is_success:
                    return
                self._blame_changed_file(response.status_code)
                if response.status_code in FOR_GOOD:
                    raise refusal(response)
                reason = problem_of(response).detail
            if self._stop.wait(wait_s(attempt)):
                raise _Stopped
        raise TransferCut(name=self._path.name, reason=reason)

    def _blame_changed_file(self, status: int) -> None:
        # The store has seen other bytes than announced: either the file changed, or its bytes did on their way.
        if status == httpx.codes.BAD_REQUEST and crc32c_file(self._path) != self._checksum:
            raise FileChanged(path=self._path)

    def _checksum_of(self, part: UploadPart) -> str:
        checksum = Crc32c()
        for chunk in self._read(part):
            checksum.update(chunk)
        return checksum.base64

    def _chunks(self, part: UploadPart) -> Iterator[bytes]:
        sent = 0
        for chunk in self._read(part):
            yield chunk
            sent += len(chunk)
            self._report(part, sent)

    def _report(self, part: UploadPart, sent: int) -> None:
        if self._stop.is_set():
            raise _Stopped
        with self._reporting:
            self._sent[part.number] = sent
            self._on_progress(self._arrived + sum(self._sent.values()), self._size_bytes)

    def _read(self, part: UploadPart) -> Iterator[bytes]:
        left = part.size_bytes
        try:
            with self._path.open("rb") as file:
                file.seek(part.offset_bytes)
                while left > 0 and (chunk := file.read(min(CHUNK_BYTES, left))):
                    left -= len(chunk)
                    yield chunk
        except OSError as error:
            raise FileUnreadable(path=self._path, reason=error.strerror or error) from error


def _uploaded(upload: UploadResponse, *, sent: bool) -> UploadedSlide:
    return UploadedSlide(upload.object_key, upload.download_url, sent)
