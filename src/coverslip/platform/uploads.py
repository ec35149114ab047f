"""Upload one slide: streamed, checked by the store, skipped when it is there already."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from coverslip.contract.objects import ObjectCreateRequest, ObjectUploadResponse
from coverslip.platform.api import ACCEPT
from coverslip.platform.connection import ATTEMPTS, reason_of, wait_s
from coverslip.platform.errors import FileChanged, FileUnreadable, TransferCut
from coverslip.platform.layout import safe_name
from coverslip.platform.objects import Objects
from coverslip.platform.problems import problem_of, refusal
from coverslip.slides.crc32c import crc32c_file

CHUNK_BYTES = 1024 * 1024
MEDIA_TYPE = "application/octet-stream"
DEFAULT_PREFIX = "slides"
FOR_GOOD = frozenset({404, 409, 410, 411, 413, 422, 507})
"""Answers to a PUT that another attempt would not change."""

Progress = Callable[[int, int], None]
"""Called with the bytes sent so far and the bytes in all."""


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
    """Send a slide to the organization's bucket, unless it is there.

    Raises
    ------
    FileChanged
        If the file is not the one of which this is the checksum.
    FileUnreadable
    TransferCut
        If four attempts failed.
    ServerDiskFull, Refused
    """
    try:
        size_bytes = path.stat().st_size
    except OSError as error:
        raise FileUnreadable(path=path, reason=error.strerror or error) from error
    request = ObjectCreateRequest(
        name=f"{prefix.strip('/')}/{safe_name(path.name)}",
        size_bytes=size_bytes,
        checksum_base64_crc32c=checksum_base64_crc32c,
    )
    reason: object = ""
    for attempt in range(ATTEMPTS):
        # Announced anew for each attempt: URLs expire, and the bytes may have arrived though the answer did not.
        target = objects.create(request)
        if target.upload_url is None:
            return _uploaded(target, sent=attempt > 0)
        try:
            response = _put(http, target.upload_url, path, size_bytes, on_progress or (lambda done, total: None))
        except httpx.LocalProtocolError as error:  # the file grew or shrank while it was read
            raise FileChanged(path=path) from error
        except httpx.TransportError as error:
            reason = reason_of(error)
        else:
            if response.is_success:
                return _uploaded(target, sent=True)
            # The store has seen other bytes than announced: either the file changed, or its bytes did on their way.
            if response.status_code == httpx.codes.BAD_REQUEST and crc32c_file(path) != checksum_base64_crc32c:
                raise FileChanged(path=path)
            if response.status_code in FOR_GOOD:
                raise refusal(response)
            reason = problem_of(response).detail
        time.sleep(wait_s(attempt))
    raise TransferCut(name=path.name, reason=reason)


def _put(http: httpx.Client, url: str, path: Path, size_bytes: int, on_progress: Progress) -> httpx.Response:
    headers = {"Content-Length": str(size_bytes), "Content-Type": MEDIA_TYPE, "Accept": ACCEPT}
    return http.put(url, content=_chunks(path, size_bytes, on_progress), headers=headers)


def _chunks(path: Path, size_bytes: int, on_progress: Progress) -> Iterator[bytes]:
    done = 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
                done += len(chunk)
                on_progress(done, size_bytes)
    except OSError as error:
        raise FileUnreadable(path=path, reason=error.strerror or error) from error


def _uploaded(target: ObjectUploadResponse, *, sent: bool) -> UploadedSlide:
    return UploadedSlide(target.object_key, target.download_url, sent)
