"""Edges of coverslips: lines across the slide, told from strokes of a pen; cracks beside them."""

import cv2
import numpy as np
import pytest

from coverslip.pathology.coverslip_edges import find_cracks, find_edges, find_lines_across, with_soft_border

MPP = 4.0


def drawn(points_px: list[tuple[int, int]], width_px: int) -> np.ndarray:
    canvas = np.zeros((1500, 1500), np.uint8)
    cv2.polylines(canvas, [np.array(points_px)], False, 1, width_px)
    return canvas > 0


@pytest.mark.parametrize(
    ("points_px", "width_px", "is_edge"),
    [
        ([(300, 0), (350, 1499)], 80, True),
        ([(300, 0), (330, 400), (345, 750), (330, 1100), (300, 1499)], 60, True),
        ([(300, 0), (350, 900)], 40, False),
        ([(300, 0), (300, 1499)], 160, False),
        ([(300, 0), (450, 300), (200, 700), (500, 1100), (300, 1499)], 40, False),
        ([(0, 700), (700, 0)], 40, True),
    ],
    ids=["broad as a pen", "slightly bent", "ends on the slide", "too broad", "hand-drawn", "across a corner"],
)
def test_lines_across(points_px: list[tuple[int, int]], width_px: int, is_edge: bool) -> None:
    thing = drawn(points_px, width_px)
    found = find_lines_across(thing, MPP)
    assert found.any() == is_edge
    if is_edge:
        assert found[thing].mean() > 0.9


def test_cracks_are_thin_grey_lines_near_an_edge() -> None:
    edge, near, far = (drawn([(x, 100), (x + 40, 1400)], 3) for x in (300, 500, 1300))
    shadow = drawn([(400, 200), (440, 1300)], 60)
    found = find_cracks(edge, edge | near | far | shadow, MPP)
    assert found[near].mean() > 0.9
    assert not found[far].any()
    assert not found[shadow & ~near].any()
    assert not find_cracks(np.zeros_like(edge), near, MPP).any()


def test_the_soft_border_of_an_edge_goes_with_it() -> None:
    core, border, elsewhere = (
        drawn([(300, 0), (300, 1499)], 10),
        drawn([(300, 0), (300, 1499)], 30),
        drawn([(900, 900), (930, 930)], 9),
    )
    np.testing.assert_array_equal(with_soft_border(core, border | elsewhere, MPP), border)
    np.testing.assert_array_equal(find_edges(border | elsewhere, MPP), border)
