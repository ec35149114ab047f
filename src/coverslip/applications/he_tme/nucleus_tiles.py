"""The tiles in which nuclei are sought: a grid of cores, each read with a margin wider than a nucleus."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.classes import TISSUE_QC, label_of

CORE_PX, MARGIN_PX = 832, 64
"""In pixels of the model; 64 of 0.5 µm are 32 µm, more than the largest nuclei and most of what the network sees."""
FEWEST_TO_HALVE = 32
"""Map pixels; below it halving saves too little to look for."""
SAME_SCALE = 1.12
"""A slide up to this much coarser or finer than the model is read as it is."""


@dataclass(frozen=True)
class Tile:
    """``core``: left, top, right, bottom in level-0 pixels; ``number`` counts the tiles of the slide."""

    number: int
    core: tuple[int, int, int, int]


@dataclass(frozen=True)
class TileGrid:
    """``downsample``: level-0 pixels per pixel that the model sees; ``core_px`` and ``margin_px`` are level-0
    pixels."""

    width_px: int
    height_px: int
    downsample: float
    core_px: int
    margin_px: int

    @classmethod
    def over(cls, width_px: int, height_px: int, mpp: float, model_mpp: float) -> "TileGrid":
        """The grid over a slide of ``mpp`` µm per level-0 pixel for a model of ``model_mpp``."""
        downsample = model_mpp / mpp
        if 1 / SAME_SCALE < downsample < SAME_SCALE:
            downsample = 1.0
        return cls(width_px, height_px, downsample, int(CORE_PX * downsample), int(MARGIN_PX * downsample))

    def tiles(self, quality: NDArray[np.uint8], cell_px: int) -> Iterator[Tile]:
        """The tiles with any valid tissue, row by row, their cores trimmed to where it is.

        ``quality`` is the label map of `TISSUE_QC` (rows, columns), ``cell_px`` level-0 pixels per map pixel.
        """
        valid = quality == label_of(TISSUE_QC, "Valid Tissue")
        number = 0
        for top in range(0, self.height_px, self.core_px):
            for left in range(0, self.width_px, self.core_px):
                right, bottom = min(left + self.core_px, self.width_px), min(top + self.core_px, self.height_px)
                first_row, first_column = top // cell_px, left // cell_px
                here = valid[first_row : -(-bottom // cell_px), first_column : -(-right // cell_px)]
                for rows, columns in _trimmed(here, self.margin_px / cell_px):
                    core = (
                        max(left, (first_column + columns.start) * cell_px),
                        max(top, (first_row + rows.start) * cell_px),
                        min(right, (first_column + columns.stop) * cell_px),
                        min(bottom, (first_row + rows.stop) * cell_px),
                    )
                    yield Tile(number, core)
                    number += 1


def _trimmed(valid: NDArray[np.bool_], margin: float) -> list[tuple[slice, slice]]:
    """Rows and columns of rectangles that hold all that is valid: one, or more where less is read then, margins
    included."""
    if not valid.any():
        return []
    rows, columns = _extent(valid.max(axis=1)), _extent(valid.max(axis=0))
    height, width = rows.stop - rows.start, columns.stop - columns.start
    if max(height, width) < FEWEST_TO_HALVE:
        return [(rows, columns)]
    if height >= width:
        middle = (rows.start + rows.stop) // 2
        halves = [(slice(rows.start, middle), columns), (slice(middle, rows.stop), columns)]
    else:
        middle = (columns.start + columns.stop) // 2
        halves = [(rows, slice(columns.start, middle)), (rows, slice(middle, columns.stop))]
    parts = [
        (_moved(part[0], half[0].start), _moved(part[1], half[1].start))
        for half in halves
        for part in _trimmed(valid[half], margin)
    ]
    return parts if sum(_read(*part, margin) for part in parts) < _read(rows, columns, margin) else [(rows, columns)]


def _extent(present: NDArray[np.bool_]) -> slice:
    places = np.flatnonzero(present)
    return slice(int(places[0]), int(places[-1]) + 1)


def _moved(part: slice, by: int) -> slice:
    return slice(part.start + by, part.stop + by)


def _read(rows: slice, columns: slice, margin: float) -> float:
    """Map pixels that are read for a rectangle."""
    return float((rows.stop - rows.start + 2 * margin) * (columns.stop - columns.start + 2 * margin))
