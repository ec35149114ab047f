"""The tiles in which nuclei are sought: a grid of cores, each read with a margin wider than a nucleus."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.classes import TISSUE_QC, label_of

CORE_PX, MARGIN_PX = 832, 64
"""In pixels of the model; 64 of 0.5 µm are 32 µm, more than the largest nuclei and most of what the network sees."""
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
        if downsample < SAME_SCALE:
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
                here = valid[top // cell_px : -(-bottom // cell_px), left // cell_px : -(-right // cell_px)]
                if here.any():
                    (above, below), (before, behind) = (_extent(here.any(axis=axis), cell_px) for axis in (1, 0))
                    first_x, first_y = left // cell_px * cell_px, top // cell_px * cell_px
                    core = (
                        max(left, first_x + before),
                        max(top, first_y + above),
                        min(right, first_x + behind),
                        min(bottom, first_y + below),
                    )
                    yield Tile(number, core)
                    number += 1


def _extent(has_tissue: NDArray[np.bool_], cell_px: int) -> tuple[int, int]:
    """From where to where there is tissue along an axis of a part of the map, in level-0 pixels from its start."""
    cells = np.flatnonzero(has_tissue)
    return int(cells[0]) * cell_px, (int(cells[-1]) + 1) * cell_px
