"""Downloading one slide: parallel ranges, checksum while streaming, nothing kept that differs."""

import asyncio
import errno
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import httpx

from coverslip.slides.crc32c import Crc32c
from coverslip.worker.errors import (
    InputAddressRefused,
    InputChecksumMismatch,
    InputRefusedByHost,
    InputUnreachable,
    ScratchFull,
)
from coverslip.worker.fetch.guard import AddressRefused

_RANGE_BYTES = 8 * 1024 * 1024
_PARALLEL = 4
_ATTEMPTS = 5
_RETRY_FROM_S = 0.3
_RESERVE_BYTES = 64 * 1024 * 1024
_MB = 1_000_000

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


async def download(
    client: httpx.AsyncClient,
    url: str,
    target: Path,
    *,
    name: str,
    checksum_base64_crc32c: str | None,
    progress: Callable[[float], None],
) -> None:
    """Fetch ``url`` into ``target``.

    Parameters
    ----------
    client
        With a guarded transport.
    name
        What errors call the file. The URL itself is a secret and appears nowhere.
    checksum_base64_crc32c
        The CRC32C the file must have, None if none was stated.
    progress
        Called with the part that has arrived, 0 to 1.

    Raises
    ------
    InputRefusedByHost, InputAddressRefused, InputChecksumMismatch
        The submitter can mend it.
    InputUnreachable, ScratchFull
        Another attempt may succeed.
    """
    try:
        await _Download(client, url, target, name, progress).run(checksum_base64_crc32c)
    except AddressRefused as error:
        raise InputAddressRefused(name=name, address=error.facts["address"]) from None
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise ScratchFull(free_mb=0, needed_mb="more") from None


class _Download:
    def __init__(
        self, client: httpx.AsyncClient, url: str, target: Path, name: str, progress: Callable[[float], None]
    ) -> None:
        self._client = client
        self._url = url
        self._target = target
        self._name = name
        self._progress = progress

    async def run(self, stated_checksum: str | None) -> None:
        checksum = Crc32c()
        first, total = await self._range(0)
        self._require_space(total)
        with self._target.open("wb") as file:
            # Ranges are fetched in parallel and taken in order: the checksum needs them so, and memory stays bounded.
            waiting: list[asyncio.Task[tuple[bytes, int]]] = []
            starts = iter(range(len(first), total, _RANGE_BYTES))
            try:
                block: bytes | None = first
                received = 0
                while block is not None:
                    while len(waiting) < _PARALLEL and (start := next(starts, None)) is not None:
                        waiting.append(asyncio.create_task(self._range(start)))
                    await asyncio.to_thread(file.write, block)
                    checksum.update(block)
                    received += len(block)
                    self._progress(received / max(total, 1))
                    block = (await waiting.pop(0))[0] if waiting else None
            finally:
                for task in waiting:
                    task.cancel()
                await asyncio.gather(*waiting, return_exceptions=True)
        if received != total:
            raise InputUnreachable(name=self._name, reason=f"only {received} of {total} bytes arrived")
        if stated_checksum is not None and checksum.base64 != stated_checksum:
            raise InputChecksumMismatch(name=self._name, actual=checksum.base64, stated=stated_checksum)

    def _require_space(self, size_bytes: int) -> None:
        free = shutil.disk_usage(self._target.parent).free
        if free < size_bytes + _RESERVE_BYTES:
            raise ScratchFull(free_mb=free // _MB, needed_mb=(size_bytes + _RESERVE_BYTES) // _MB)

    async def _range(self, start: int) -> tuple[bytes, int]:
        """The bytes of one range, and the size of the whole file."""
        reason = ""
        for attempt in range(_ATTEMPTS):
            if attempt:
                await asyncio.sleep(_RETRY_FROM_S * 2**attempt)
            try:
                headers = {"Range": f"bytes={start}-{start + _RANGE_BYTES - 1}", "Accept-Encoding": "identity"}
                response = await self._client.get(self._url, headers=headers)
            except httpx.TransportError as error:
                reason = str(error) or type(error).__name__
                continue
            if response.status_code == httpx.codes.PARTIAL_CONTENT:
                matched = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
                if matched and int(matched[1]) == start and int(matched[2]) - start + 1 == len(response.content):
                    return response.content, int(matched[3])
                reason = "its host answered with another part of the file than was asked for"
            elif response.status_code == httpx.codes.OK and start == 0:
                # A host without ranges sends everything at once.
                return response.content, len(response.content)
            elif response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and start == 0:
                return b"", 0
            elif response.is_client_error:
                raise InputRefusedByHost(name=self._name, status=response.status_code)
            else:
                reason = f"its host answered {response.status_code}"
        raise InputUnreachable(name=self._name, reason=reason)


def local_name(external_id: str, media_type: str | None) -> str:
    """A file name for a slide with the suffix that readers expect; nothing else of what users wrote gets into it."""
    suffix = os.path.splitext(external_id)[1].lower()  # noqa: PTH122 - an id is not always a path
    if not re.fullmatch(r"\.[a-z0-9]{1,8}", suffix):
        suffix = {"application/dicom": ".dcm", "application/zip": ".zip"}.get(media_type or "", ".tiff")
    return f"slide{suffix}"
