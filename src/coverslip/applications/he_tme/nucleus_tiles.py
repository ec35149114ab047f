"""The tiles in which nuclei are sought: a grid of cores, each read with a margin wider than a nucleus."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.classes import TISSUE_QC, label_of

WINDOW_PX, MARGIN_PX = 1024, 64
"""In pixels of the model; 64 of 0.5 µm are 32 µm, more than the largest nuclei and what the network sees of them."""
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
        margin_px = int(MARGIN_PX * downsample)
        return cls(width_px, height_px, downsample, int(WINDOW_PX * downsample) - 2 * margin_px, margin_px)

    def tiles(self, quality: NDArray[np.uint8], cell_px: int) -> Iterator[Tile]:
        """The tiles with any valid tissue, row by row.

        ``quality`` is the label map of `TISSUE_QC` (rows, columns), ``cell_px`` level-0 pixels per map pixel.
        """
        valid = quality == label_of(TISSUE_QC, "Valid Tissue")
        number = 0
        for top in range(0, self.height_px, self.core_px):
            for left in range(0, self.width_px, self.core_px):
                right, bottom = left + self.core_px, top + self.core_px
                here = valid[top // cell_px : -(-bottom // cell_px), left // cell_px : -(-right // cell_px)]
                if here.any():
                    yield Tile(number, (left, top, min(right, self.width_px), min(bottom, self.height_px)))
                    number += 1
