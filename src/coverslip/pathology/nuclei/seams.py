"""Nuclei of neighbouring tiles that see the same pixels: each is kept once, and from the tile that sees all of it.

A tile is analysed with a margin wider than a nucleus, and keeps the nuclei whose centroid lies in its core or hardly
outside. So a nucleus on a seam is found whole by both tiles, perhaps with slightly different outlines; the one whose
centroid lies deeper inside its own tile's core stays.
"""

import numpy as np
import shapely
from numpy.typing import NDArray

from coverslip.pathology.cells import Outlines
from coverslip.pathology.nuclei.outline_polygons import polygons_of

SAME_SHARE = 0.5
"""Two outlines are one nucleus when they share more than this part of the smaller."""


def depth_in(core: tuple[float, float, float, float], centroids: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far centroids (n, 2) lie inside a core (left, top, right, bottom), negative outside; in the same pixels."""
    left, top, right, bottom = core
    x, y = centroids[:, 0], centroids[:, 1]
    return np.minimum(np.minimum(x - left, right - x), np.minimum(y - top, bottom - y))


def duplicates(outlines: Outlines, depth: NDArray[np.float64], tile: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of the outlines near seams, bool (n,), are seen better by another tile.

    Parameters
    ----------
    outlines
        Of the nuclei of all tiles that lie near a seam, n in one system of coordinates.
    depth
        Of each in its own tile's core, see `depth_in`; the deeper of two stays, of equally deep ones the earlier.
    tile
        The number of each one's tile; two of one tile are never the same nucleus.
    """
    dropped = np.zeros(len(depth), bool)
    if not len(depth):
        return dropped
    polygons = polygons_of(outlines)
    shapely.prepare(polygons)
    first, second = shapely.STRtree(polygons).query(polygons, predicate="intersects")
    others = (first < second) & (tile[first] != tile[second])
    first, second = first[others], second[others]
    shared = shapely.area(shapely.intersection(polygons[first], polygons[second]))
    area = shapely.area(polygons)
    same = shared > SAME_SHARE * np.minimum(area[first], area[second])
    first, second = first[same], second[same]
    better = np.where(depth[first] >= depth[second], first, second)
    worse = np.where(depth[first] >= depth[second], second, first)
    # The deepest ones decide first: what has been dropped itself drops nothing.
    for keep, drop in zip(*(side[np.lexsort((worse, -depth[better]))] for side in (better, worse)), strict=True):
        if not dropped[keep]:
            dropped[drop] = True
    return dropped
