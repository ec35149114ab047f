"""Bodies in the encoding ``aws-chunked``, whose trailers hold checksums.

Source: "Signature calculations for trailing headers" and "Checking object integrity" of the Amazon S3 documentation. A
chunk is its size in hexadecimal, a line end, its bytes, a line end; after the one of size 0 follow trailers.
"""

import re
from collections.abc import AsyncIterator

from coverslip.service.s3.errors import BodyIncomplete

_MAX_LINE_BYTES = 4096
_MAX_TRAILERS = 16
_GATHERED_BYTES = 64 * 1024
_SIZE = re.compile(rb"([0-9a-fA-F]{1,16})(;[^\r\n]*)?")


class _Reader:
    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._buffer = bytearray()  # from its beginning bytes are taken without moving the others

    async def line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            if len(self._buffer) > _MAX_LINE_BYTES:
                raise BodyIncomplete
            self._buffer += await self._more()
        return self._taken(self._buffer.index(b"\r\n") + 2)[:-2]

    async def take(self, size_bytes: int) -> AsyncIterator[bytes]:
        left = size_bytes
        while left:
            if not self._buffer:
                self._buffer += await self._more()
            piece = self._taken(left)
            yield piece
            left -= len(piece)

    def _taken(self, most_bytes: int) -> bytes:
        piece = bytes(self._buffer[:most_bytes])
        del self._buffer[:most_bytes]
        return piece

    async def _more(self) -> bytes:
        async for chunk in self._chunks:
            if chunk:
                return chunk
        raise BodyIncomplete


async def decode(chunks: AsyncIterator[bytes], trailers: dict[str, str]) -> AsyncIterator[bytes]:
    """The content of an encoded body; its trailers are in ``trailers`` when it has ended, with names in lower case.

    It comes in pieces that are worth handing on, however small the chunks are.

    Raises
    ------
    BodyIncomplete
        If it ends early or is not in this encoding.
    """
    reader = _Reader(chunks)
    gathered = bytearray()
    while True:
        size = _SIZE.fullmatch(await reader.line())
        if size is None:
            raise BodyIncomplete
        if (size_bytes := int(size[1], 16)) == 0:
            break
        async for piece in reader.take(size_bytes):
            gathered += piece
            if len(gathered) >= _GATHERED_BYTES:
                yield bytes(gathered)
                gathered.clear()
        if await reader.line():
            raise BodyIncomplete
    if gathered:
        yield bytes(gathered)
    for _ in range(_MAX_TRAILERS):
        line = await reader.line()
        if not line:
            return
        name, _, value = line.decode("latin-1").partition(":")
        trailers[name.strip().lower()] = value.strip()
    raise BodyIncomplete
