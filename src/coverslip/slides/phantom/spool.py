"""Tiles of the reduced levels of a pyramid, kept on disk until their turn comes: a TIFF is written level by level."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from coverslip.slides.phantom.tiles import TILE_PX, Pixels, halved, strip_tiles


class Spool:
    """Compressed tiles on disk until their level is written."""

    def __init__(self, path: Path) -> None:
        self._path, self._lengths = path, list[int]()

    def open(self) -> "Spool":
        self._file = self._path.open("w+b")
        return self

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, tiles: list[bytes]) -> None:
        for tile in tiles:
            self._file.write(tile)
            self._lengths.append(len(tile))

    def tiles(self) -> Iterator[bytes]:
        self._file.seek(0)
        for length in self._lengths:
            yield self._file.read(length)


class Reducer:
    """Halves rows of tiles again and again, each level from the one before."""

    def __init__(self, spools: list[Spool]) -> None:
        self._spools = spools
        self._above: Pixels | None = None
        self._next = Reducer(spools[1:]) if len(spools) > 1 else None

    def add(self, strip: Pixels) -> None:
        """Take the next row of tiles (`TILE_PX`, width, 3) of the level before these."""
        if not self._spools:
            return
        if self._above is None:
            self._above = strip
            return
        both, self._above = np.vstack([self._above, strip]), None
        spare = both.shape[1] // TILE_PX % 2
        both = np.pad(both, ((0, 0), (0, spare * TILE_PX), (0, 0)), mode="edge")
        half = halved(both)
        self._spools[0].add(strip_tiles(half))
        if self._next is not None:
            self._next.add(half)

    def finish(self) -> None:
        """No further row comes; an odd last one is completed by its own lower edge."""
        if self._above is not None:
            self.add(np.repeat(self._above[-1:], TILE_PX, axis=0))
        if self._next is not None:
            self._next.finish()
