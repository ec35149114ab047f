"""Which grid cells were painted as what, and at which place."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from coverslip.applications.tissue_maps import Grid, MapWindow
from coverslip.models.tissue_training.annotations import PaintedRegion
from coverslip.pathology.classes import TISSUE, label_of

NOTHING, SEVERAL = -1, -2
"""In a map of places: cells that were not painted, and cells that were painted as several classes."""


@dataclass(frozen=True)
class Painting:
    """``places``: int32 (rows, columns), the number of the place that each grid cell is of, from 0, or `NOTHING` or
    `SEVERAL`; ``labels``: uint8, the class of `TISSUE` of each place."""

    places: NDArray[np.int32]
    labels: NDArray[np.uint8]


def paint(regions: Sequence[PaintedRegion], grid: Grid, reach_px: float, path: Path) -> Painting:
    """Paint regions onto the map of a slide, by the centres of its cells.

    Parameters
    ----------
    reach_px
        Regions of one class no farther from each other than this, in level-0 pixels, are one place.
    path
        The file that the regions are of.

    Raises
    ------
    AnnotationUnusable
        If a place has no cell of its own.
    """
    place_of = _places(regions, reach_px)
    labels = np.zeros(place_of.max() + 1, np.uint8)
    places = np.full(grid.shape, NOTHING, np.int32)
    for region, place in zip(regions, place_of.tolist(), strict=True):
        labels[place] = label_of(TISSUE, region.class_name)
        window, inside = _cells_in(region, grid)
        there = places[window]
        alone = (there == NOTHING) | ((there >= 0) & (labels[np.maximum(there, 0)] == labels[place]))
        there[inside] = np.where(alone, place, SEVERAL)[inside]
    for place in np.setdiff1d(place_of, places).tolist():
        lost = regions[place_of.tolist().index(place)]
        reason = f"it holds no square of {grid.cell_px} px alone; paint more, and nothing as two classes"
        raise lost.unusable(path, reason)
    return Painting(places, labels)


def _cells_in(region: PaintedRegion, grid: Grid) -> tuple[MapWindow, NDArray[np.bool_]]:
    """Rows and columns of a map round a region, and which of these cells lie in it."""
    left, top, right, bottom = (max(0, int(value // grid.cell_px)) for value in region.area.bounds)
    window = np.s_[top : min(bottom + 1, grid.shape[0]), left : min(right + 1, grid.shape[1])]
    y_px, x_px = ((np.arange(part.start, part.stop) + 0.5) * grid.cell_px for part in window)
    shapely.prepare(region.area)
    return window, shapely.contains_xy(region.area, x_px[np.newaxis, :], y_px[:, np.newaxis])


def _places(regions: Sequence[PaintedRegion], reach_px: float) -> NDArray[np.int32]:
    """The number of the place of each region, from 0 without gaps."""
    areas = np.array([region.area for region in regions], object)
    names = np.array([region.class_name for region in regions])
    one, other = shapely.STRtree(areas).query(areas, predicate="dwithin", distance=reach_px)
    same = names[one] == names[other]
    links = coo_array((np.ones(int(same.sum()), bool), (one[same], other[same])), shape=(len(areas), len(areas)))
    return np.asarray(connected_components(links, directed=False)[1], np.int32)
