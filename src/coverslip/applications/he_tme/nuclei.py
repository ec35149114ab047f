"""All nuclei of a slide, found by several processes; the result does not depend on how many."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from itertools import accumulate
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coverslip.applications.he_tme.nucleus_tiles import Tile, TileGrid
from coverslip.applications.he_tme.tile_nuclei import NucleusFinder, TileNuclei
from coverslip.pathology.cells import NUCLEUS_FEATURES, Outlines
from coverslip.pathology.classes import CELL
from coverslip.pathology.nuclei.seams import duplicates

AHEAD = 2
"""Tiles in the making for each process; bounds the memory."""
FEWEST_TILES = 4
"""For fewer tiles starting processes takes longer than it saves."""


@dataclass(frozen=True)
class Search:
    """What `NucleusFinder` needs to know; see there."""

    path: Path
    mpp: float
    grid: TileGrid
    background: tuple[float, float, float]

    def finder(self, threads: int) -> NucleusFinder:
        """Open slide and model."""
        return NucleusFinder(self.path, self.mpp, self.grid, self.background, threads)


@dataclass(frozen=True)
class SlideNuclei:
    """The nuclei of a slide, each once, in the order of the tiles; n. See `TileNuclei`."""

    centroids: NDArray[np.float64]
    features: NDArray[np.float32]
    outlines: Outlines
    types: NDArray[np.float32] | None

    def of(self, kept: NDArray[np.bool_]) -> "SlideNuclei":
        """Those that ``kept``, bool (n,), says."""
        types = None if self.types is None else self.types[kept]
        return SlideNuclei(self.centroids[kept], self.features[kept], self.outlines.of(kept), types)


def find_slide_nuclei(
    search: Search, tiles: Sequence[Tile], processes: int, progress: Callable[[float], None]
) -> SlideNuclei:
    """Find the nuclei of all tiles.

    Parameters
    ----------
    processes
        How many work at once; one is this process, with a thread of the model for each core.
    progress
        Told the part of the tiles done, 0 to 1.

    Raises
    ------
    SlideUnreadable
        Where the file is damaged.
    ModelError
        If the model cannot be used.
    """
    found: list[TileNuclei] = []
    for nuclei in _found(search, tiles, processes):
        found.append(nuclei)
        progress(len(found) / len(tiles))
    return _joined(found)


def _found(search: Search, tiles: Sequence[Tile], processes: int) -> Iterator[TileNuclei]:
    if processes == 1 or len(tiles) < FEWEST_TILES:
        yield from map(search.finder(threads=0).find, tiles)
        return
    with ProcessPoolExecutor(processes, get_context("spawn"), _start, (search,)) as pool:
        waiting: deque[Future[TileNuclei]] = deque()
        for tile in tiles:
            waiting.append(pool.submit(_find, tile))
            if len(waiting) >= AHEAD * processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _joined(found: Sequence[TileNuclei]) -> SlideNuclei:
    """All tiles' nuclei without those that two of them found."""
    depth = _stacked((one.depth for one in found), (0,))
    tile = np.repeat(np.arange(len(found)), [len(one.depth) for one in found])
    shared = _stacked((one.shared for one in found), (0,)).astype(bool)
    outlines = _outlines([one.outlines for one in found])
    dropped = np.zeros(len(depth), bool)
    dropped[shared] = duplicates(outlines.of(shared), depth[shared], tile[shared])
    centroids = _stacked((one.centroids for one in found), (0, 2))
    features = _stacked((one.features for one in found), (0, len(NUCLEUS_FEATURES)))
    told = [one.types for one in found if one.types is not None]
    types = _stacked(told, (0, len(CELL))) if len(told) == len(found) else None
    return SlideNuclei(centroids, features, outlines, types).of(~dropped)


def _outlines(parts: Sequence[Outlines]) -> Outlines:
    vertices = _stacked((part.vertices for part in parts), (0, 2)).astype(np.float32)
    shifts = accumulate((len(part.vertices) for part in parts), initial=0)
    offsets = [part.offsets[1:] + shift for part, shift in zip(parts, shifts, strict=False)]
    return Outlines(vertices, np.concatenate([[0], *offsets]).astype(np.int64))


def _stacked(parts: Iterable[NDArray[Any]], empty: tuple[int, ...]) -> NDArray[Any]:
    return np.concatenate([np.empty(empty, np.float32), *parts])


_finder: NucleusFinder | None = None


def _start(search: Search) -> None:
    global _finder
    _finder = search.finder(threads=1)


def _find(tile: Tile) -> TileNuclei:
    assert _finder is not None, "the pool has started this process"
    return _finder.find(tile)
