"""Nuclei that two tiles see are kept once."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from coverslip.pathology.cells import Outlines
from coverslip.pathology.nuclei.seams import depth_in, duplicates

Discs = list[tuple[float, float]]


def outlined(centres: Discs, radius: float) -> Outlines:
    """Discs as polygons of 16 corners."""
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    ring = radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    rings = [ring + centre for centre in centres]
    vertices = np.concatenate([np.empty((0, 2)), *rings]).astype(np.float32)
    return Outlines(vertices, 16 * np.arange(len(centres) + 1))


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), unique=True, max_size=30),
    st.floats(-1.5, 1.5),
    st.floats(-1.5, 1.5),
)
def test_of_each_nucleus_near_a_seam_one_stays(places: list[tuple[int, int]], right: float, down: float) -> None:
    """Two tiles that meet at x = 100 see the same nuclei, the second a little elsewhere."""
    seen: Discs = [(82 + 4 * column, 20.0 * row) for column, row in places]
    again: Discs = [(x + right, y + down) for x, y in seen]
    spread = [(x, y) for x, y in seen if all(x == other or abs(y - v) > 12 or abs(x - other) > 12 for other, v in seen)]
    seen, again = spread, [(x + right, y + down) for x, y in spread]
    centres = np.array([*seen, *again]).reshape(-1, 2)
    depth = np.concatenate(
        [depth_in((0, -99, 100, 299), centres[: len(seen)]), depth_in((100, -99, 200, 299), centres[len(seen) :])]
    )
    tile = np.repeat([0, 1], len(seen))
    dropped = duplicates(outlined([*seen, *again], 5), depth, tile)
    assert (dropped[: len(seen)] ^ dropped[len(seen) :]).all()
    for number, (x, _) in enumerate(seen):
        inside_first = 100 - x
        inside_second = x + right - 100
        assert dropped[number] == (inside_second > inside_first)


def test_neighbours_that_only_touch_both_stay() -> None:
    outlines = outlined([(95, 50), (104, 50)], 5)
    dropped = duplicates(outlines, np.array([5.0, 4.0]), np.array([0, 1]))
    assert not dropped.any()


def test_what_one_tile_found_is_never_thinned_out() -> None:
    outlines = outlined([(95, 50), (96, 50)], 5)
    assert not duplicates(outlines, np.array([5.0, 4.0]), np.array([0, 0])).any()


def test_nothing_found_is_nothing_dropped() -> None:
    assert duplicates(outlined([], 5), np.empty(0), np.empty(0, np.int64)).tolist() == []
