"""Outlines of instances and what is measured of them."""

import cv2
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from coverslip.pathology.nuclei.contours import outlines_of
from coverslip.pathology.nuclei.objects import renumbered
from coverslip.pathology.nuclei.outline_polygons import polygons_of
from coverslip.pathology.nuclei.shapes import shapes_of


def ellipse(x: float, y: float, long: float, short: float, degrees: float, side: int = 80) -> NDArray[np.int32]:
    """An ellipse of half axes ``long`` and ``short``, drawn by which pixels' centres lie in it."""
    rows, columns = np.mgrid[:side, :side] + 0.5
    angle = np.radians(degrees)
    along = (columns - x) * np.cos(angle) + (rows - y) * np.sin(angle)
    across = (rows - y) * np.cos(angle) - (columns - x) * np.sin(angle)
    return ((along / long) ** 2 + (across / short) ** 2 <= 1).astype(np.int32)


@given(st.floats(30, 50), st.floats(30, 50), st.floats(5, 20), st.floats(0.45, 1.0), st.floats(0, 180))
def test_shapes_are_those_of_the_thing_that_was_drawn(
    x: float, y: float, long: float, ratio: float, degrees: float
) -> None:
    shapes = shapes_of(outlines_of(ellipse(x, y, long, long * ratio, degrees)))
    assert shapes.centroids[0] == pytest.approx((x, y), abs=0.5)
    assert shapes.area[0] == pytest.approx(np.pi * long * long * ratio, rel=0.18)
    assert shapes.major_axis[0] == pytest.approx(2 * long, abs=1.6)
    assert shapes.minor_axis[0] == pytest.approx(2 * long * ratio, abs=1.6)
    assert shapes.solidity[0] > 0.93
    assert 0 < shapes.roundness[0] <= 1


def test_a_disc_is_rounder_than_a_spindle() -> None:
    disc, spindle = (shapes_of(outlines_of(ellipse(40, 40, 15, short, 30))) for short in (15, 5))
    assert disc.roundness[0] > 0.93
    assert spindle.roundness[0] < 0.7


@given(st.integers(0, 2**32 - 1))
def test_every_instance_has_one_simple_ring_about_where_its_pixels_are(seed: int) -> None:
    generator = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(generator.normal(0, 1, (60, 60)).astype(np.float32), (0, 0), generator.uniform(0.5, 3))
    _, labels = cv2.connectedComponents((noise > generator.uniform(0, 0.3)).astype(np.uint8), connectivity=4)
    labels = renumbered(labels.astype(np.int32))
    polygons = polygons_of(outlines_of(labels))
    assert len(polygons) == labels.max()
    assert shapely.is_valid(polygons).all()
    for number, polygon in enumerate(polygons, start=1):
        rows, columns = np.nonzero(labels == number)
        box = shapely.box(columns.min() - 1, rows.min() - 1, columns.max() + 2, rows.max() + 2)
        assert box.covers(polygon)
        assert polygon.area > 0


def test_an_image_without_nuclei_has_no_outlines() -> None:
    outlines = outlines_of(np.zeros((10, 10), np.int32))
    assert outlines.vertices.shape == (0, 2)
    assert outlines.offsets.tolist() == [0]
    assert len(shapes_of(outlines).area) == 0
