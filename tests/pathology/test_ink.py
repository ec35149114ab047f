"""Strokes of four pens over glass and tissue, and what looks like them."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from coverslip.pathology.ink import InkSigns, find_ink

MPP = 4.0
SIDE = 600
TISSUE = np.s_[150:600, 200:600]
RED, PALE_RED, BLOOD = (6, 80, 62), (5, 40, 28), (7, 74, 66)
"""Densities of red, green and blue in hundredths."""


def section(seed: int = 1) -> NDArray[np.uint8]:
    """Glass, and tissue of eosin and haematoxylin with texture."""
    random = np.random.default_rng(seed)
    density = np.zeros((SIDE, SIDE, 3), np.float32)
    amount = np.clip(cv2.GaussianBlur(random.normal(1, 3, (SIDE, SIDE)).astype(np.float32), (0, 0), 2), 0.2, 2)
    purple = cv2.GaussianBlur(random.normal(0.4, 4, (SIDE, SIDE)).astype(np.float32), (0, 0), 3).clip(0.1, 1)
    for i, (eosin, haematoxylin) in enumerate(((3, 20), (28, 22), (16, 9))):
        density[TISSUE][..., i] = (amount * eosin + purple * haematoxylin)[TISSUE]
    return np.clip(density, 0, 255).astype(np.uint8)


def stroke(*points_px: tuple[int, int], width_px: int = 110) -> NDArray[np.bool_]:
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    cv2.polylines(canvas, [np.array(points_px)], False, 1, width_px)
    return canvas > 0


ACROSS = stroke((0, 250), (560, 330))


def inked(density: NDArray[np.uint8], where: NDArray[np.bool_], color: tuple[int, int, int]) -> NDArray[np.uint8]:
    return np.clip(density + where[..., np.newaxis] * np.array(color), 0, 255).astype(np.uint8)


def marked(density: NDArray[np.uint8]) -> NDArray[np.bool_]:
    red, green = density[..., 0].astype(int), density[..., 1].astype(int)
    least, mean, chroma = density.min(axis=2), density.mean(axis=2), np.ptp(density, axis=2)
    opaque = (mean > 65) & (chroma < 0.4 * mean)
    colored = (red > green + 6) & (red > 1.15 * green) & ~opaque
    return find_ink(InkSigns(colored, opaque | (least > 36), opaque, mean > 5), density, MPP)


@pytest.mark.parametrize(
    ("color", "most_beside"),
    [(RED, 0.1), (PALE_RED, 0.25), ((85, 20, 28), 0.1), ((80, 40, 8), 0.1), ((80, 85, 80), 0.1)],
    ids=["red", "pale red", "green", "blue", "black"],
)
def test_a_stroke_is_followed_from_glass_over_tissue(color: tuple[int, int, int], most_beside: float) -> None:
    found = marked(inked(section(), ACROSS, color))
    assert found[ACROSS].mean() > 0.9
    assert (found & ~ACROSS).sum() < most_beside * ACROSS.sum()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_tissue_is_not_marked(seed: int) -> None:
    assert not marked(section(seed)).any()


@pytest.mark.parametrize("center", [(80, 300), (400, 400)], ids=["on glass", "in tissue"])
def test_pools_of_blood_are_not_marked(center: tuple[int, int]) -> None:
    pool = np.zeros((SIDE, SIDE), np.uint8)
    cv2.ellipse(pool, center, (70, 55), 20, 0, 360, 1, -1)
    assert not marked(inked(section(), pool > 0, BLOOD)).any()


def test_fine_red_lines_are_not_marked() -> None:
    assert not marked(inked(section(), stroke((0, 80), (560, 90), width_px=20), BLOOD)).any()


def test_brown_pigment_is_not_marked() -> None:
    assert not marked(inked(section(), stroke((0, 80), (560, 90)), (10, 50, 90))).any()
