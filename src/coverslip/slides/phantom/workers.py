"""Make the blocks of a phantom in several processes, and take them in order."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import cv2

from coverslip.slides.phantom.nuclei import CLASSES
from coverslip.slides.phantom.options import PhantomOptions
from coverslip.slides.phantom.painting import Painter
from coverslip.slides.phantom.tiles import Pixels, levels_of
from coverslip.slides.phantom.truth import Labels, block_labels, nucleus_lines

Place = tuple[int, int]
AHEAD = 4
"""Blocks in the making for each process; bounds the memory."""


@dataclass(frozen=True)
class MadeBlock:
    """A block, ready to be written: see `levels_of`, `block_labels` and `nucleus_lines`."""

    levels: list[list[bytes]]
    pixels: Pixels
    labels: tuple[Labels, Labels, Labels]
    nuclei: bytes
    nucleus_count: dict[str, int]


class BlockMaker:
    """Makes blocks of one phantom."""

    def __init__(self, options: PhantomOptions) -> None:
        self._options, self._painter = options, Painter(options)

    def glass(self) -> tuple[list[list[bytes]], Pixels]:
        """The tiles of bare glass, which are the same everywhere."""
        return levels_of(self._painter.glass)

    def make(self, place: Place) -> MadeBlock | None:
        """The block at (column, row); None if it is bare glass."""
        block = self._painter.paint(*place)
        if block is None:
            return None
        levels, pixels = levels_of(block.rgb)
        options = self._options
        lines = nucleus_lines(block.nuclei, options.mpp, options.width_px, options.height_px)
        count = Counter({name: lines.count(f'"{name}"'.encode()) for name in CLASSES})
        return MadeBlock(levels, pixels, block_labels(block), lines, dict(count))


def made_blocks(
    maker: BlockMaker, options: PhantomOptions, places: Iterable[Place], jobs: int
) -> Iterator[MadeBlock | None]:
    """Blocks in the order of ``places``, made by ``jobs`` processes; one job is this process."""
    if jobs == 1:
        yield from map(maker.make, places)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), _start, (options,)) as pool:
        waiting: deque[Future[MadeBlock | None]] = deque()
        for place in places:
            waiting.append(pool.submit(_make, place))
            if len(waiting) >= AHEAD * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


_maker: BlockMaker | None = None


def _start(options: PhantomOptions) -> None:
    global _maker
    cv2.setNumThreads(1)
    _maker = BlockMaker(options)


def _make(place: Place) -> MadeBlock | None:
    assert _maker is not None, "the pool has started this process"
    return _maker.make(place)
