"""Tell whether a TIFF file ends before the data its own tables point to (TIFF 6.0 and BigTIFF)."""

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from coverslip.slides.errors import SlideTruncated

TYPE_FORMATS = {3: "u2", 4: "u4", 13: "u4", 16: "u8", 18: "u8"}
"""Field types that can hold offsets and counts: SHORT, LONG, IFD, LONG8, IFD8."""

STRIP_OFFSETS, STRIP_BYTE_COUNTS, TILE_OFFSETS, TILE_BYTE_COUNTS, SUB_IFDS = 273, 279, 324, 325, 330
MOST_DIRECTORIES = 10_000
"""A chain longer than this is taken for a loop made to waste time."""


def check_not_truncated(path: Path) -> None:
    """Check that every tile, strip and directory of a TIFF file lies inside the file; other files pass.

    Raises
    ------
    SlideTruncated
        If something lies beyond the end.
    """
    with path.open("rb") as file:
        walk = _Walk.begin(file, path)
        if walk is not None:
            walk.check()


class _Walk:
    def __init__(self, file: BinaryIO, path: Path, order: str, big: bool) -> None:
        self.file, self.path, self.order = file, path, order
        self.size_bytes = path.stat().st_size
        self.count_format, self.entry_format, self.offset_format = ("Q", "HHQ8s", "Q") if big else ("H", "HHI4s", "I")

    @classmethod
    def begin(cls, file: BinaryIO, path: Path) -> "_Walk | None":
        """None unless the file starts as a TIFF does."""
        header = file.read(4)
        order = {b"II": "<", b"MM": ">"}.get(header[:2])
        if order is None or len(header) < 4:
            return None
        version = struct.unpack(order + "H", header[2:])[0]
        return cls(file, path, order, version == 43) if version in (42, 43) else None

    def check(self) -> None:
        big = self.offset_format == "Q"
        waiting = [self.unpack(8 if big else 4, self.offset_format)[0]]
        seen: set[int] = set()
        while waiting and len(seen) < MOST_DIRECTORIES:
            offset = waiting.pop()
            if offset and offset not in seen:
                seen.add(offset)
                waiting += self.check_directory(offset)

    def check_directory(self, offset: int) -> list[int]:
        """Check one directory; return the offsets of those it points to."""
        entry_bytes = struct.calcsize(self.order + self.entry_format)
        count = self.unpack(offset, self.count_format)[0]
        start = offset + struct.calcsize(self.order + self.count_format)
        table = self.read(start, count * entry_bytes)
        values: dict[int, NDArray[np.uint64]] = {}
        for tag, kind, number, inline in struct.iter_unpack(self.order + self.entry_format, table):
            if tag in (STRIP_OFFSETS, STRIP_BYTE_COUNTS, TILE_OFFSETS, TILE_BYTE_COUNTS, SUB_IFDS):
                values[tag] = self.values(kind, number, inline)
        for offsets_tag, counts_tag in ((STRIP_OFFSETS, STRIP_BYTE_COUNTS), (TILE_OFFSETS, TILE_BYTE_COUNTS)):
            offsets, counts = values.get(offsets_tag), values.get(counts_tag)
            if offsets is not None and counts is not None and len(offsets) == len(counts) > 0:
                ends = np.where(counts > 0, offsets + counts, 0)
                self.require(int(ends.max()))
        following = self.unpack(start + count * entry_bytes, self.offset_format)[0]
        return [following, *values.get(SUB_IFDS, np.empty(0, np.uint64)).tolist()]

    def values(self, kind: int, number: int, inline: bytes) -> NDArray[np.uint64]:
        letters = TYPE_FORMATS.get(kind)
        if letters is None:
            return np.empty(0, np.uint64)
        dtype = np.dtype(self.order + letters)
        length = number * dtype.itemsize
        if length > len(inline):
            inline = self.read(struct.unpack(self.order + self.offset_format, inline)[0], length)
        return np.frombuffer(inline[:length], dtype).astype(np.uint64)

    def unpack(self, offset: int, letters: str) -> tuple[int, ...]:
        return struct.unpack(self.order + letters, self.read(offset, struct.calcsize(self.order + letters)))

    def read(self, offset: int, length: int) -> bytes:
        self.require(offset + length)
        self.file.seek(offset)
        return self.file.read(length)

    def require(self, needed_bytes: int) -> None:
        if needed_bytes > self.size_bytes:
            raise SlideTruncated(name=self.path.name, needed_bytes=needed_bytes, size_bytes=self.size_bytes)
