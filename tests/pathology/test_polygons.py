"""Polygons cover exactly what the label map says."""

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from coverslip.pathology.polygons import regions_of

CELL_PX = 8
label_maps = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=14), elements=st.integers(0, 3))


def cells(labels: NDArray[np.uint8], label: int, width_px: int, height_px: int) -> shapely.Geometry:
    """The union of the squares of one label, cut to the slide: the definition, slow and plain."""
    rows, columns = np.nonzero(labels == label)
    squares = shapely.box(columns * CELL_PX, rows * CELL_PX, (columns + 1) * CELL_PX, (rows + 1) * CELL_PX)
    return shapely.intersection(shapely.union_all(squares), shapely.box(0, 0, width_px, height_px))


@given(label_maps, st.integers(0, CELL_PX - 1))
def test_outlines_are_exact(labels: NDArray[np.uint8], cut_px: int) -> None:
    width_px, height_px = labels.shape[1] * CELL_PX - cut_px, labels.shape[0] * CELL_PX - cut_px
    regions = regions_of(labels, CELL_PX, width_px, height_px)
    for label in (1, 2, 3):
        polygons = [region.polygon for region in regions if region.label == label]
        assert all(polygon.is_valid and polygon.geom_type == "Polygon" for polygon in polygons)
        expected = cells(labels, label, width_px, height_px)
        assert sum(polygon.area for polygon in polygons) == expected.area
        assert shapely.union_all(polygons).symmetric_difference(expected).area == 0


@given(label_maps, st.floats(0, 3 * CELL_PX))
def test_smoothed_outlines_stay_valid_and_apart(labels: NDArray[np.uint8], tolerance_px: float) -> None:
    width_px, height_px = labels.shape[1] * CELL_PX, labels.shape[0] * CELL_PX
    regions = regions_of(labels, CELL_PX, width_px, height_px, tolerance_px)
    assert all(region.polygon.is_valid for region in regions)
    assert (
        sum(region.polygon.area for region in regions) - shapely.union_all([region.polygon for region in regions]).area
        < 1e-6 * width_px * height_px
    )
    assert all(shapely.box(0, 0, width_px, height_px).covers(region.polygon) for region in regions)


def test_a_ring_has_a_hole_and_its_island_is_a_region_of_its_own() -> None:
    labels = np.ones((7, 7), np.uint8)
    labels[1:6, 1:6] = 0
    labels[3, 3] = 1
    ring, island = regions_of(labels, 1, 7, 7)
    assert (ring.polygon.area, len(ring.polygon.interiors)) == (24, 1)
    assert (island.polygon.area, len(island.polygon.interiors)) == (1, 0)


def test_smoothing_keeps_the_area_of_a_disc() -> None:
    row, column = np.mgrid[:80, :80]
    labels = ((row - 40) ** 2 + (column - 40) ** 2 < 30**2).astype(np.uint8)
    (disc,) = regions_of(labels, CELL_PX, 640, 640, tolerance_px=CELL_PX)
    exact = labels.sum() * CELL_PX**2
    assert abs(disc.polygon.area - exact) < 0.02 * exact
    assert len(disc.polygon.exterior.coords) < 100


def test_nothing_has_no_regions() -> None:
    assert regions_of(np.zeros((5, 5), np.uint8), 4, 20, 20) == []
