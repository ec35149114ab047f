"""Downloading one slide: parallel ranges, checksum while streaming, nothing kept that differs."""

import asyncio
import contextlib
import errno
import logging
import os
import re
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path

import httpx

from coverslip.fetching.errors import AddressRefused
from coverslip.slides.crc32c import Crc32c
from coverslip.worker.errors import (
    InputAddressInvalid,
    InputAddressRefused,
    InputChecksumMismatch,
    InputRefusedByHost,
    InputUnreachable,
    ScratchFull,
)

_RANGE_BYTES = 8 * 1024 * 1024
_PARALLEL = 4
_REDIRECTS = 5
_RETRY_FROM_S = 0.3
_RETRY_TO_S = 5.0
_PATIENCE_S = 60.0  # while nothing at all arrives: a service or host that restarts is back by then
_HEAD_START_S = 600.0
_SLOWEST_BYTES_PER_S = 64 * 1024  # a host that is slower than this, on average, would hold a slot for ever
_RESERVE_BYTES = 64 * 1024 * 1024
_MB = 1_000_000

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_TRY_AGAIN = (httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_EARLY, httpx.codes.TOO_MANY_REQUESTS)

log = logging.getLogger(__name__)


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
        With a guarded transport; it follows no redirects by itself.
    name
        What errors call the file. The URL itself is a secret and appears nowhere.
    checksum_base64_crc32c
        The CRC32C the file must have, None if none was stated.
    progress
        Called with the part that has arrived, 0 to 1.

    Raises
    ------
    InputRefusedByHost, InputAddressRefused, InputAddressInvalid, InputChecksumMismatch
        The submitter can mend it.
    InputUnreachable, ScratchFull
        Another attempt may succeed.
    """
    try:
        await _Download(client, url, target, name, progress).run(checksum_base64_crc32c)
    except AddressRefused as error:
        # The operator may know what the name resolves to; the submitter may not.
        log.warning("%s", error)
        raise InputAddressRefused(name=name) from None
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        raise InputAddressInvalid(name=name) from None
    except OSError as error:
        if error.errno not in _DISK_FULL:
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
        self._started_s = asyncio.get_running_loop().time()
        self._received = 0
        self._total: int | None = None

    async def run(self, stated_checksum: str | None) -> None:
        checksum = Crc32c()
        try:
            async with asyncio.timeout(_HEAD_START_S) as limit, contextlib.aclosing(self._blocks(limit)) as blocks:
                with self._target.open("wb") as file:
                    async for block in blocks:
                        await asyncio.to_thread(file.write, block)
                        checksum.update(block)
                        self._received += len(block)
                        self._progress(self._received / self._total if self._total else 0)
        except TimeoutError:
            reason = f"its host is too slow, {self._received} bytes have arrived in all the time there was"
            raise InputUnreachable(name=self._name, reason=reason) from None
        if stated_checksum is not None and checksum.base64 != stated_checksum:
            raise InputChecksumMismatch(name=self._name, actual=checksum.base64, stated=stated_checksum)

    async def _blocks(self, limit: asyncio.Timeout) -> AsyncGenerator[bytes]:
        """The file from its beginning to its end."""
        first = await self._range(0)
        if first is None:
            async for piece in self._whole(limit):
                yield piece
            return
        total = self._total or 0
        self._expect(total, limit)
        starts = iter(range(_RANGE_BYTES, total, _RANGE_BYTES))
        # Ranges are fetched in parallel and taken in order: the checksum needs them so, and memory stays bounded.
        waiting: list[asyncio.Task[bytes | None]] = []
        try:
            block: bytes | None = first
            while block is not None:
                while len(waiting) < _PARALLEL and (start := next(starts, None)) is not None:
                    waiting.append(asyncio.create_task(self._range(start)))
                yield block
                block = await waiting.pop(0) if waiting else None
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    def _expect(self, size_bytes: int, limit: asyncio.Timeout) -> None:
        """Make sure there is room for so many bytes, and give them time."""
        free = shutil.disk_usage(self._target.parent).free
        if free < size_bytes + _RESERVE_BYTES:
            raise ScratchFull(free_mb=free // _MB, needed_mb=(size_bytes + _RESERVE_BYTES) // _MB)
        limit.reschedule(self._started_s + _HEAD_START_S + size_bytes / _SLOWEST_BYTES_PER_S)

    async def _range(self, start: int) -> bytes | None:
        """The bytes of one range; None, of the first only, if the host sends no ranges."""
        part = bytearray()
        patience = _Patience(self._name)
        while True:
            begin = start + len(part)
            try:
                async with self._answer({"Range": f"bytes={begin}-{start + _RANGE_BYTES - 1}"}) as response:
                    if begin == 0 and response.status_code == httpx.codes.OK:
                        return None
                    if begin == 0 and response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                        self._total = 0
                        return b""
                    self._require(response, httpx.codes.PARTIAL_CONTENT)
                    matched = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
                    if matched is None or int(matched[1]) != begin or self._total not in (None, int(matched[3])):
                        raise _UnusableAnswer("its host answered with another part of the file than was asked for")
                    self._total = int(matched[3])
                    size = min(_RANGE_BYTES, self._total - start)
                    async for chunk in response.aiter_raw():
                        part += chunk
                        patience.renew()
                        if len(part) >= size:
                            return bytes(part[:size])
                    raise _UnusableAnswer("its host sent less than it announced")
            except httpx.UnsupportedProtocol:
                raise
            except (httpx.TransportError, _UnusableAnswer) as error:
                await patience.wait(error)

    async def _whole(self, limit: asyncio.Timeout) -> AsyncGenerator[bytes]:
        """The file from a host that sends no ranges: after an interruption, what arrived before is passed over."""
        patience = _Patience(self._name)
        while True:
            passed = 0
            try:
                async with self._answer({}) as response:
                    self._require(response, httpx.codes.OK)
                    self._total = int(response.headers.get("content-length", 0)) or None
                    self._expect(self._total or 0, limit)
                    async for chunk in response.aiter_raw(_RANGE_BYTES):
                        patience.renew()
                        new = chunk[max(self._received - passed, 0) :]
                        passed += len(chunk)
                        if new:
                            yield new
                    return
            except httpx.UnsupportedProtocol:
                raise
            except (httpx.TransportError, _UnusableAnswer) as error:
                await patience.wait(error)

    @contextlib.asynccontextmanager
    async def _answer(self, headers: dict[str, str]) -> AsyncIterator[httpx.Response]:
        request = self._client.build_request("GET", self._url, headers={**headers, "Accept-Encoding": "identity"})
        for _ in range(_REDIRECTS + 1):
            response = await self._client.send(request, stream=True)
            try:
                # httpx would read the body of a redirect into memory, however long it is.
                if response.next_request is None:
                    yield response
                    return
                request = response.next_request
            finally:
                await response.aclose()
        raise InputAddressInvalid(name=self._name)

    def _require(self, response: httpx.Response, status: int) -> None:
        if response.is_client_error and response.status_code not in _TRY_AGAIN:
            raise InputRefusedByHost(name=self._name, status=response.status_code)
        if response.status_code != status:
            raise _UnusableAnswer(f"its host answered {response.status_code}")


class _UnusableAnswer(Exception):
    """Another answer may be better; its message is the reason."""


class _Patience:
    """Tries again until nothing has arrived for a while."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.renew()

    def renew(self) -> None:
        self._until = asyncio.get_running_loop().time() + _PATIENCE_S
        self._delay_s = _RETRY_FROM_S

    async def wait(self, failure: Exception) -> None:
        """Pause before the next try.

        Raises
        ------
        InputUnreachable
            If there has been none that brought anything for too long.
        """
        if asyncio.get_running_loop().time() > self._until:
            raise InputUnreachable(name=self._name, reason=str(failure) or type(failure).__name__) from None
        await asyncio.sleep(self._delay_s)
        self._delay_s = min(2 * self._delay_s, _RETRY_TO_S)


def local_name(external_id: str, media_type: str | None) -> str:
    """A file name for a slide with the suffix that readers expect; nothing else of what users wrote gets into it."""
    suffix = os.path.splitext(external_id)[1].lower()  # noqa: PTH122 - an id is not always a path
    if not re.fullmatch(r"\.[a-z0-9]{1,8}", suffix):
        suffix = {"application/dicom": ".dcm", "application/zip": ".zip"}.get(media_type or "", ".tiff")
    return f"slide{suffix}"
