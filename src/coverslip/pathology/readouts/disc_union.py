"""The area covered by equal discs round points, overlaps counted once.

The Voronoi cells of the points part the union: inside its cell a point's own disc covers all that any disc covers. A
Voronoi cell is made of triangles between its point, the middle of a Delaunay edge and the circumcentre of a Delaunay
triangle beside it, and how much of such a right-angled triangle the disc covers has a closed form (F. Aurenhammer,
Improved algorithms for discs and balls using power diagrams, Journal of Algorithms 9, 1988, 151-161). So there is no
error but that of rounding the points, at the cost of a Delaunay triangulation.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay

Floats = NDArray[np.float64]

POINTS_AT_ONCE = 4_096
PLACES_PER_UM = 128
"""Points are moved to this lattice: two in one place are one disc, and nearly so, they would confuse triangulation."""
FAR = 4.0
"""Helper points lie so many times as far away as the points reach."""


def disc_union_areas(points_um: Floats, radii_um: Sequence[float]) -> Floats:
    """The areas in µm² of the union of discs round all points, one for each radius.

    Parameters
    ----------
    points_um
        float64 (n, 2), at most 10⁷ µm apart.
    radii_um
        At 20 µm the error is below 0.05 %; it falls with the radius.
    """
    if not len(points_um):
        return np.zeros(len(radii_um))
    places = np.rint((points_um - points_um.min(axis=0)) * PLACES_PER_UM).astype(np.int64)
    column, row = np.divmod(np.unique(places[:, 0] << 32 | places[:, 1]), 1 << 32)
    points = np.column_stack([column, row]) / PLACES_PER_UM
    along = points[:, 0]
    reach = 2 * max(radii_um)  # farther apart, two discs do not meet
    areas = np.zeros(len(radii_um))
    for start in range(0, len(points), POINTS_AT_ONCE):
        stop = min(start + POINTS_AT_ONCE, len(points))
        first = int(np.searchsorted(along, along[start] - reach, "left"))
        last = int(np.searchsorted(along, along[stop - 1] + reach, "right"))
        areas += _areas_in_cells(points[first:last], slice(start - first, stop - first), radii_um)
    return areas


def _areas_in_cells(points: Floats, own: slice, radii: Sequence[float]) -> Floats:
    """The parts of the discs of the ``own`` points in their Voronoi cells among all points, summed for each radius."""
    around = _far_points(points, 2 * max(radii))
    all_points = np.concatenate([points, around]) - points.mean(axis=0)
    counted = np.zeros(len(all_points))
    counted[own] = 1
    corners = Delaunay(all_points).simplices
    areas = np.zeros(len(radii))
    for opposite, start, end in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        weights = counted[corners[:, start]] + counted[corners[:, end]]
        used = weights > 0
        apex, a, b = (all_points[corners[used, corner]] for corner in (opposite, start, end))
        to_a, to_b = a - apex, b - apex
        angle = np.arctan2(np.abs(to_a[:, 0] * to_b[:, 1] - to_a[:, 1] * to_b[:, 0]), (to_a * to_b).sum(axis=1))
        half_edge = np.hypot(*(b - a).T) / 2
        areas += [float(weights[used] @ _covered(half_edge, angle, radius)) for radius in radii]
    return areas


def _far_points(points: Floats, reach: float) -> Floats:
    """Three points so far away that they change nothing near the others, but close every Voronoi cell."""
    size = FAR * (np.ptp(points, axis=0).max() + reach)
    directions = np.array([(0.0, 1.0), (-0.9, -0.6), (0.8, -0.7)])
    far: Floats = points.mean(axis=0) + size * directions
    return far


def _covered(half_edge: Floats, angle: Floats, radius: float) -> Floats:
    """The part of a right-angled triangle within ``radius`` of its point, with a sign.

    The triangle lies between an end of a Delaunay edge, its middle, and the circumcentre of a triangle on it, whose
    ``angle`` opposite the edge is half of that at which the circumcentre sees the edge. Beyond a right angle the
    circumcentre lies on the far side and the area counts negative.
    """
    turn = np.pi / 2 - angle
    most = np.sqrt(np.maximum(radius**2 - half_edge**2, 0))
    straight = np.clip(half_edge * np.tan(turn), -most, most)
    covered: Floats = half_edge * straight / 2 + radius**2 / 2 * (turn - np.arctan2(straight, half_edge))
    return covered
