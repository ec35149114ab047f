"""The area of a union of discs against shapely's union of fine polygons."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from coverslip.pathology.readouts import disc_union
from coverslip.pathology.readouts.disc_union import disc_union_areas

Points = NDArray[np.float64]

RADII = (20.0, 40.0)
ERROR = 5e-4
"""Promised; the polygons, of 512 sides, differ from discs by 2.5e-5."""

anywhere = arrays(np.float64, st.tuples(st.integers(1, 60), st.just(2)), elements=st.floats(0, 600))
on_a_lattice = arrays(
    np.float64, st.tuples(st.integers(1, 60), st.just(2)), elements=st.integers(0, 9).map((10.0).__mul__)
)


def areas(points: Points) -> NDArray[np.float64]:
    return disc_union_areas(points, RADII)


def polygon_areas(points: Points) -> list[float]:
    return [shapely.union_all(shapely.buffer(shapely.points(points), radius, quad_segs=128)).area for radius in RADII]


@given(anywhere | on_a_lattice)
def test_areas_are_those_of_polygons(points: Points) -> None:
    np.testing.assert_allclose(areas(points), polygon_areas(points), rtol=ERROR)


@pytest.mark.parametrize("count", [2_000, 20_000])
def test_many_points_far_from_the_origin(count: int) -> None:
    points = 80_000 + 2_000 * np.random.default_rng(count).random((count, 2))
    np.testing.assert_allclose(areas(points), polygon_areas(points), rtol=ERROR)


@given(anywhere)
def test_pieces_make_no_difference(points: Points) -> None:
    whole = areas(points)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(disc_union, "POINTS_AT_ONCE", 7)
        np.testing.assert_allclose(areas(points), whole, rtol=1e-9)


def test_one_disc_and_none() -> None:
    np.testing.assert_allclose(areas(np.array([[1e5, 2e5]])), np.pi * np.square(RADII), rtol=1e-9)
    np.testing.assert_array_equal(areas(np.empty((0, 2))), [0, 0])


def test_points_in_one_place_cover_one_disc() -> None:
    np.testing.assert_allclose(areas(np.full((50, 2), 7.0)), np.pi * np.square(RADII), rtol=1e-9)


def test_points_in_a_line() -> None:
    points = np.arange(40)[:, None] * np.array([3.0, 5.0])
    np.testing.assert_allclose(areas(points), polygon_areas(points), rtol=ERROR)
