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
"""Longer side of the overview that glass and stain are learnt from."""

MapWindow = tuple[slice, slice]
"""Rows and columns of a map."""

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
    overview: NDArray[np.uint8],
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
    overview
        The whole slide, uint8 RGB (h, w, 3), of about `OVERVIEW_PX`.
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
    evidence, tissue = np.zeros(grid.shape, np.uint16), np.zeros(grid.shape, np.uint8)
    density = np.zeros((*grid.shape, 3), np.uint8)
    reference = slide_reference(overview)
    tiles = grid.tiles(tile_px)
    for done, here in enumerate(tiles):
        progress(done / len(tiles))
        tile = read_tile(slide, mpp, reference, grid, here)
        features = tile.features
        evidence[here] = gather_evidence(features, reference)[tile.inner]
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

    def tiles(self, tile_px: int = TILE_PX) -> list[MapWindow]:
        """Tiles of the map of about ``tile_px`` analysed pixels on each side."""
        step = max(1, tile_px // self.pool)
        rows, columns = (
            [slice(start, min(start + step, length)) for start in range(0, length, step)] for length in self.shape
        )
        return [(row, column) for row in rows for column in columns]


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
    """``rgb`` and ``features`` of a tile with its margin, and ``inner``, where in them the tile is."""

    rgb: NDArray[np.uint8]
    features: Features
    inner: MapWindow


def read_tile(slide: Slide, mpp: float, reference: SlideReference, grid: Grid, window: MapWindow) -> MapTile:
    """Read and measure a tile of the map.

    Raises
    ------
    SlideUnreadable
        Where the file is damaged.
    """
    cell_px = grid.cell_px
    margin = math.ceil(MARGIN_UM / (cell_px * mpp))
    (top, left), (rows, columns) = (part.start for part in window), (part.stop - part.start for part in window)
    rgb = read_downsampled(
        slide,
        (left - margin) * cell_px,
        (top - margin) * cell_px,
        (columns + 2 * margin) * cell_px,
        (rows + 2 * margin) * cell_px,
        cell_px / grid.pool,
    )
    features = measure(rgb, mpp * cell_px / grid.pool, grid.pool, reference.background)
    return MapTile(rgb, features, np.s_[margin : margin + rows, margin : margin + columns])
