"""Tissue quality control and segmentation of a whole slide, tile by tile, whatever its size."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.features import REACH_UM, Features, density_bytes, measure
from coverslip.pathology.qc_evidence import gather_evidence
from coverslip.pathology.reference import SlideReference, slide_reference
from coverslip.pathology.tissue_qc import VALID, TissueQuality, judge_tissue_quality
from coverslip.pathology.tissue_segmentation import classify_tissue, clean_tissue
from coverslip.slides.resampling import read_downsampled
from coverslip.slides.slide import Slide

CELL_UM = 4.0
"""Aimed size of a map pixel; the true size is a whole number of slide pixels."""
PIXEL_UM = 1.0
"""Colour and texture are measured at about this resolution."""
MOST_CELLS = 24_000_000
"""Slides that would have more map pixels, from about 19.6 x 19.6 mm, get pixels of 8, 16, … µm: memory then stays."""
TILE_PX = 2048
"""Side of a tile in analysed pixels; a tile takes about 250 MB while it is measured."""
MARGIN_UM = REACH_UM + 64.0
"""Beyond the reach of the features, room for the morphology on top of them."""
OVERVIEW_PX = 1024

TissueClassifier = Callable[[NDArray[np.uint8], Features, SlideReference], NDArray[np.uint8]]
"""Names the tissue of a tile with its margin. Given its pixels, its features and the slide's reference, it returns the
class of `TISSUE` of every grid cell, uint8 (rows, columns), and heeds no pixel farther away than `MARGIN_UM`."""


@dataclass(frozen=True)
class TissueMaps:
    """Quality, and ``tissue``: label map uint8 (rows, columns) of `TISSUE`; ``cell_px`` slide pixels per map pixel and
    axis; ``background``: colour of the slide's bare glass."""

    quality: TissueQuality
    tissue: NDArray[np.uint8]
    cell_px: int
    background: tuple[float, float, float]


def map_tissue(
    slide: Slide,
    mpp: float,
    progress: Callable[[float], None],
    classify: TissueClassifier | None = None,
    tile_px: int = TILE_PX,
) -> TissueMaps:
    """Label the tissue of a slide.

    Parameters
    ----------
    slide
        An open slide.
    mpp
        Micrometres per level-0 pixel, at most 1.
    progress
        Told the part of the tiles done, 0 to 1.
    classify
        Names the tissue; None: the rules of `coverslip.pathology.tissue_segmentation`.
    tile_px
        Side of a tile in pixels of about `PIXEL_UM`; the result does not depend on it.

    Raises
    ------
    SlideUnreadable
        Where the file is damaged.
    """
    grid = grid_of(slide.info.width_px, slide.info.height_px, mpp)
    evidence, tissue = np.zeros(grid.shape, np.uint8), np.zeros(grid.shape, np.uint8)
    density = np.zeros((*grid.shape, 3), np.uint8)
    reference = slide_reference(slide.thumbnail(OVERVIEW_PX))
    rows, columns = grid.shape
    tile_cells = max(1, tile_px // grid.pool)
    tiles = [(top, left) for top in range(0, rows, tile_cells) for left in range(0, columns, tile_cells)]
    for done, (top, left) in enumerate(tiles):
        progress(done / len(tiles))
        here = np.s_[top : top + tile_cells, left : left + tile_cells]
        tile = read_tile(slide, mpp, reference, grid, top, left, tissue[here].shape)
        features = tile.features
        evidence[here] = gather_evidence(features)[tile.inner]
        density[here] = density_bytes(features)[tile.inner]
        named = classify(tile.rgb, features, reference) if classify else classify_tissue(features, reference)
        tissue[here] = named[tile.inner]
    cell_um = grid.cell_px * mpp
    quality = judge_tissue_quality(evidence, density, reference, cell_um)
    cleaned = clean_tissue(tissue, quality.labels == VALID, cell_um)
    return TissueMaps(quality, cleaned, grid.cell_px, reference.background)


@dataclass(frozen=True)
class Grid:
    """``shape``: rows and columns of the map; ``cell_px``: slide pixels, ``pool``: analysed pixels per map pixel."""

    shape: tuple[int, int]
    cell_px: int
    pool: int


def grid_of(width_px: int, height_px: int, mpp: float) -> Grid:
    """The map of a slide: pixels of `CELL_UM`, or coarser where there would be more than `MOST_CELLS`."""
    cell_um = CELL_UM
    while width_px * height_px * (mpp / cell_um) ** 2 > MOST_CELLS:
        cell_um *= 2
    pool = round(cell_um / PIXEL_UM)
    cell_px = max(pool, round(cell_um / mpp))
    return Grid((-(-height_px // cell_px), -(-width_px // cell_px)), cell_px, pool)


@dataclass(frozen=True)
class MapTile:
    """``rgb`` and ``features`` of a tile with its margin, and ``inner``, the rows and columns of the tile in them."""

    rgb: NDArray[np.uint8]
    features: Features
    inner: tuple[slice, slice]


def read_tile(
    slide: Slide, mpp: float, reference: SlideReference, grid: Grid, top: int, left: int, shape: tuple[int, ...]
) -> MapTile:
    """Read and measure a tile of the map; ``top``, ``left`` and ``shape`` are map pixels.

    Raises
    ------
    SlideUnreadable
        Where the file is damaged.
    """
    cell_px = grid.cell_px
    margin = math.ceil(MARGIN_UM / (cell_px * mpp))
    rgb = read_downsampled(
        slide,
        (left - margin) * cell_px,
        (top - margin) * cell_px,
        (shape[1] + 2 * margin) * cell_px,
        (shape[0] + 2 * margin) * cell_px,
        cell_px / grid.pool,
    )
    features = measure(rgb, mpp * cell_px / grid.pool, grid.pool, reference.background)
    return MapTile(rgb, features, np.s_[margin : margin + shape[0], margin : margin + shape[1]])
