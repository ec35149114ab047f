"""Tell whether the tables of a TIFF file hold together (TIFF 6.0 and BigTIFF), before a decoder believes them.

Everything they point to must lie inside the file, sizes must be those of a slide, and directories must come to an end.
"""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray

from coverslip.slides.errors import SlideImplausible, SlideTruncated, SlideUnreadable
from coverslip.slides.limits import MOST_LEVEL_PX, check_level

TYPE_FORMATS = {1: "u1", 3: "u2", 4: "u4", 13: "u4", 16: "u8", 18: "u8"}
"""Field types that can hold sizes, offsets and counts: BYTE, SHORT, LONG, IFD, LONG8, IFD8."""

WIDTH, HEIGHT, SAMPLES, PLANAR, TILE_WIDTH, TILE_HEIGHT = 256, 257, 277, 284, 322, 323
STRIP_OFFSETS, STRIP_BYTE_COUNTS, TILE_OFFSETS, TILE_BYTE_COUNTS, SUB_IFDS = 273, 279, 324, 325, 330
READ_TAGS = {WIDTH, HEIGHT, SAMPLES, PLANAR, TILE_WIDTH, TILE_HEIGHT}
READ_TAGS |= {STRIP_OFFSETS, STRIP_BYTE_COUNTS, TILE_OFFSETS, TILE_BYTE_COUNTS, SUB_IFDS}

TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Length of one value of each field type."""
WHOLE_TAGS = {270, 282, 283, 320, 347}
"""ImageDescription, XResolution, YResolution, ColorMap, JPEGTables: without them a slide opens, but as another."""

MOST_DIRECTORIES, MOST_TAGS, MOST_NESTING = 4096, 4096, 4
"""Images in a file, tags of an image, and images within images. Pyramids have some ten images of some thirty tags, with
their lower levels at most one deep."""

CLASSIC_END = 2**32

Tags = Mapping[int, NDArray[np.uint64]]


def check_tiff(path: Path) -> None:
    """Check the directories of a TIFF file; other files pass.

    Raises
    ------
    SlideTruncated
        If a directory, table, tile or strip lies beyond the end.
    SlideImplausible
        If sizes or numbers are larger than any scanner writes.
    SlideUnreadable
        If sizes are not positive whole numbers, directories form a loop, or tiles are missing from the tables.
    """
    with path.open("rb") as file:
        walk = _Walk.begin(file, path)
        if walk is not None:
            walk.check()


class _Walk:
    def __init__(self, file: BinaryIO, path: Path, order: str, big: bool) -> None:
        self.file, self.name, self.order = file, path.name, order
        self.size_bytes = path.stat().st_size
        self.unread_bytes = self.size_bytes
        self.seen: set[int] = set()
        self.count_format, self.entry_format, self.offset_format = ("Q", "HHQ8s", "Q") if big else ("H", "HHI4s", "I")
        self.first_offset = 8 if big else 4

    @classmethod
    def begin(cls, file: BinaryIO, path: Path) -> "_Walk | None":
        """None unless the file starts as a TIFF does."""
        header = file.read(4)
        order = {b"II": "<", b"MM": ">"}.get(header[:2])
        if order is None or len(header) < 4:
            return None
        version = struct.unpack(order + "H", header[2:])[0]
        # Classic TIFF ends at 4 GiB. What is larger is Hamamatsu's NDPI, whose offsets have 64 bits: OpenSlide knows.
        if version == 42 and path.stat().st_size > CLASSIC_END:
            return None
        return cls(file, path, order, version == 43) if version in (42, 43) else None

    def check(self) -> None:
        self.check_chain(self.unpack(self.first_offset, self.offset_format)[0], frozenset())

    def check_chain(self, offset: int, around: frozenset[int]) -> None:
        """Check a directory and those that follow it; ``around`` are the directories that they are nested in."""
        if len(around) > MOST_NESTING:
            self.implausible("its directories", f"directories {len(around)} deep in each other", MOST_NESTING)
        chain: set[int] = set()
        while offset:
            if offset in chain or offset in around:
                self.unreadable(f"the directory at byte {offset}", "its directories form a loop")
            chain.add(offset)
            if offset in self.seen:
                return
            self.seen.add(offset)
            if len(self.seen) > MOST_DIRECTORIES:
                self.implausible("its directories", f"{len(self.seen):,} images", MOST_DIRECTORIES)
            tags, following = self.read_directory(offset)
            self.check_image(f"the directory at byte {offset}", tags)
            for nested in tags.get(SUB_IFDS, np.empty(0, np.uint64)).tolist():
                self.check_chain(nested, around | {offset})
            offset = following

    def read_directory(self, offset: int) -> tuple[Tags, int]:
        """The tags of a directory that are checked, and the offset of the directory that follows it."""
        entry_bytes = struct.calcsize(self.order + self.entry_format)
        count = self.unpack(offset, self.count_format)[0]
        if count > MOST_TAGS:
            self.implausible(f"the directory at byte {offset}", f"{count:,} tags", MOST_TAGS)
        start = offset + struct.calcsize(self.order + self.count_format)
        table = self.read(start, count * entry_bytes)
        tags: dict[int, NDArray[np.uint64]] = {}
        for tag, kind, number, inline in struct.iter_unpack(self.order + self.entry_format, table):
            if tag in READ_TAGS:
                tags[tag] = self.values(kind, number, inline)
            elif tag in WHOLE_TAGS and (length := number * TYPE_BYTES.get(kind, 1)) > len(inline):
                self.require(struct.unpack(self.order + self.offset_format, inline)[0] + length)
        return tags, self.unpack(start + count * entry_bytes, self.offset_format)[0]

    def check_image(self, place: str, tags: Tags) -> None:
        for offsets_tag, counts_tag in ((STRIP_OFFSETS, STRIP_BYTE_COUNTS), (TILE_OFFSETS, TILE_BYTE_COUNTS)):
            offsets, counts = tags.get(offsets_tag), tags.get(counts_tag)
            if offsets is not None and counts is not None and len(offsets) == len(counts) > 0:
                for table in (offsets, counts):  # first each alone: a sum of two numbers of 64 bits may wrap around
                    self.require(int(np.where(counts > 0, table, 0).max()))
                self.require(int(np.where(counts > 0, offsets + counts, 0).max()))
        if WIDTH not in tags and HEIGHT not in tags:
            return
        width, height = self.one(place, "width", tags, WIDTH), self.one(place, "height", tags, HEIGHT)
        if TILE_WIDTH not in tags and TILE_HEIGHT not in tags:
            if width * height > MOST_LEVEL_PX:
                self.implausible(place, f"{width * height:,} pixels in a level", MOST_LEVEL_PX)
            return
        tile = self.one(place, "tile width", tags, TILE_WIDTH), self.one(place, "tile height", tags, TILE_HEIGHT)
        tiles = check_level(self.name, place, width, height, *tile)
        if PLANAR in tags and self.one(place, "planar configuration", tags, PLANAR) == 2:
            tiles *= self.one(place, "number of samples", tags, SAMPLES) if SAMPLES in tags else 1
        # Tiles may also be listed in the tags for strips (TIFF 6.0 section 15 forbids it, libtiff reads it).
        present = max(len(tags.get(tag, ())) for tag in (TILE_OFFSETS, STRIP_OFFSETS))
        if present < tiles:
            self.unreadable(place, f"it lists {present:,} of {tiles:,} tiles")

    def one(self, place: str, what: str, tags: Tags, tag: int) -> int:
        values = tags.get(tag, np.empty(0, np.uint64))
        if len(values) != 1 or values[0] < 1:
            self.unreadable(place, f"its {what} is not one positive whole number")
        return int(values[0])

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
        self.unread_bytes -= length
        if self.unread_bytes < 0:
            self.unreadable("its tables", "they overlap each other")
        self.file.seek(offset)
        return self.file.read(length)

    def require(self, needed_bytes: int) -> None:
        if needed_bytes > self.size_bytes:
            evidence = f"its tables point to byte {needed_bytes:,} but it has only {self.size_bytes:,} bytes"
            raise SlideTruncated(name=self.name, evidence=evidence)

    def implausible(self, place: str, claim: str, limit: int) -> NoReturn:
        raise SlideImplausible(name=self.name, place=place, claim=claim, limit=f"{limit:,}")

    def unreadable(self, place: str, reason: str) -> NoReturn:
        raise SlideUnreadable(name=self.name, place=place, reason=reason)
