"""Tissue quality control and segmentation of a whole slide, tile by tile, whatever its size."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.features import REACH_UM, measure
from coverslip.pathology.reference import SlideReference, slide_reference
from coverslip.pathology.tissue_qc import VALID, classify_tissue_qc, clean_tissue_qc
from coverslip.pathology.tissue_segmentation import classify_tissue, clean_tissue
from coverslip.slides.resampling import read_downsampled
from coverslip.slides.slide import Slide

CELL_UM = 4.0
"""Aimed size of a map pixel; the true size is a whole number of slide pixels."""
POOL = 4
"""Pixels analysed per map pixel and axis: colour and texture are measured at about 1 µm per pixel."""
TILE_CELLS = 512
MARGIN_CELLS = math.ceil(REACH_UM / CELL_UM) + 16
"""Beyond the reach of the features, room for the morphology on top of them."""
OVERVIEW_PX = 1024


@dataclass(frozen=True)
class TissueMaps:
    """Label maps uint8 (rows, columns) of `TISSUE_QC` and `TISSUE`; ``cell_px`` slide pixels per map pixel and axis."""

    tissue_qc: NDArray[np.uint8]
    tissue: NDArray[np.uint8]
    cell_px: int


def map_tissue(slide: Slide, mpp: float, progress: Callable[[float], None], tile_cells: int = TILE_CELLS) -> TissueMaps:
    """Label the tissue of a slide.

    Parameters
    ----------
    slide
        An open slide.
    mpp
        Micrometres per level-0 pixel, at most 1.
    progress
        Told the part of the tiles done, 0 to 1.
    tile_cells
        Side of a tile in map pixels; the result does not depend on it.

    Raises
    ------
    SlideUnreadable
        Where the file is damaged.
    """
    cell_px = max(POOL, round(CELL_UM / mpp))
    rows, columns = -(-slide.info.height_px // cell_px), -(-slide.info.width_px // cell_px)
    qc, tissue = np.zeros((rows, columns), np.uint8), np.zeros((rows, columns), np.uint8)
    reference = slide_reference(slide.thumbnail(OVERVIEW_PX))
    tiles = [(top, left) for top in range(0, rows, tile_cells) for left in range(0, columns, tile_cells)]
    for done, (top, left) in enumerate(tiles):
        progress(done / len(tiles))
        here = np.s_[top : top + tile_cells, left : left + tile_cells]
        qc[here], tissue[here] = _label_tile(slide, mpp, reference, cell_px, top, left, qc[here].shape)
    qc = clean_tissue_qc(qc, cell_px * mpp)
    return TissueMaps(qc, clean_tissue(tissue, qc == VALID, cell_px * mpp), cell_px)


def _label_tile(
    slide: Slide, mpp: float, reference: SlideReference, cell_px: int, top: int, left: int, shape: tuple[int, ...]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    rgb = read_downsampled(
        slide,
        (left - MARGIN_CELLS) * cell_px,
        (top - MARGIN_CELLS) * cell_px,
        (shape[1] + 2 * MARGIN_CELLS) * cell_px,
        (shape[0] + 2 * MARGIN_CELLS) * cell_px,
        cell_px / POOL,
    )
    features = measure(rgb, mpp * cell_px / POOL, POOL, reference.background)
    inner = np.s_[MARGIN_CELLS : MARGIN_CELLS + shape[0], MARGIN_CELLS : MARGIN_CELLS + shape[1]]
    return classify_tissue_qc(features, reference)[inner], classify_tissue(features, reference)[inner]
