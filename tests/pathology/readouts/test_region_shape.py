"""Sizes and shapes of figures whose values are known."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from coverslip.pathology.readouts.region_shape import ellipse_axes, filled_area, region_shapes


def test_a_rectangle() -> None:
    shapes = region_shapes(np.array([shapely.box(10, 20, 22, 26)]))
    assert (shapes.area[0], shapes.perimeter[0], shapes.extent[0], shapes.solidity[0]) == (72, 36, 1, 1)
    assert shapes.roundness[0] == pytest.approx(4 * np.pi * 72 / 36**2)
    assert ellipse_axes(shapely.box(10, 20, 22, 26)) == pytest.approx((4 * 12 / 12**0.5, 4 * 6 / 12**0.5))


def test_a_ring_has_its_hole_in_perimeter_and_area() -> None:
    ring = shapely.box(0, 0, 10, 10) - shapely.box(2, 2, 8, 8)
    shapes = region_shapes(np.array([ring]))
    assert (shapes.area[0], shapes.perimeter[0], shapes.convex_area[0]) == (64, 64, 100)
    assert filled_area(ring) == 100
    second_moment = (10**4 - 6**4) / 12
    assert ellipse_axes(ring) == pytest.approx([4 * (second_moment / 64) ** 0.5] * 2)


@given(st.floats(1, 50), st.floats(1, 50), st.floats(0, 180), st.floats(-1e5, 1e5))
def test_axes_of_an_ellipse(a: float, b: float, turn: float, away: float) -> None:
    disc = shapely.Point(0, 0).buffer(1, quad_segs=128)
    ellipse = shapely.affinity.rotate(shapely.affinity.scale(disc, a, b), turn)
    moved = shapely.affinity.translate(ellipse, away, -away)
    assert ellipse_axes(moved) == pytest.approx((2 * max(a, b), 2 * min(a, b)), rel=1e-3)


def test_a_disc_is_round_and_never_more_than_that() -> None:
    shapes = region_shapes(np.array([shapely.Point(5, 5).buffer(3, quad_segs=1000)]))
    assert 0.999 < shapes.roundness[0] <= 1
