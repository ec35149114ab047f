"""Bodies in the encoding ``aws-chunked``, whose trailers hold checksums.

Source: "Signature calculations for trailing headers" and "Checking object integrity" of the Amazon S3 documentation. A
chunk is its size in hexadecimal, a line end, its bytes, a line end; after the one of size 0 follow trailers.
"""

import re
from collections.abc import AsyncIterator

from coverslip.service.s3.errors import BodyIncomplete

_MAX_LINE_BYTES = 4096
_MAX_TRAILERS = 16
_SIZE = re.compile(rb"([0-9a-fA-F]{1,16})(;[^\r\n]*)?")


class _Reader:
    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._buffer = b""

    async def line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            if len(self._buffer) > _MAX_LINE_BYTES:
                raise BodyIncomplete
            self._buffer += await self._more()
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line

    async def take(self, size_bytes: int) -> AsyncIterator[bytes]:
        left = size_bytes
        while left:
            piece = self._buffer or await self._more()
            yield piece[:left]
            self._buffer = piece[left:]
            left -= min(left, len(piece))

    async def _more(self) -> bytes:
        async for chunk in self._chunks:
            if chunk:
                return chunk
        raise BodyIncomplete


async def decode(chunks: AsyncIterator[bytes], trailers: dict[str, str]) -> AsyncIterator[bytes]:
    """The content of an encoded body; its trailers are in ``trailers`` when it has ended, with names in lower case.

    Raises
    ------
    BodyIncomplete
        If it ends early or is not in this encoding.
    """
    reader = _Reader(chunks)
    while True:
        size = _SIZE.fullmatch(await reader.line())
        if size is None:
            raise BodyIncomplete
        if (size_bytes := int(size[1], 16)) == 0:
            break
        async for piece in reader.take(size_bytes):
            yield piece
        if await reader.line():
            raise BodyIncomplete
    for _ in range(_MAX_TRAILERS):
        line = await reader.line()
        if not line:
            return
        name, _, value = line.decode("latin-1").partition(":")
        trailers[name.strip().lower()] = value.strip()
    raise BodyIncomplete
