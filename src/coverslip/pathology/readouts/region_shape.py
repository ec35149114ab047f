"""Sizes and shapes of regions, from the outlines that are written to the other files.

The definitions are those of scikit-image's ``regionprops``, for polygons: extent is the share of the bounding box,
solidity that of the convex hull, and the axes are those of the ellipse of equal second moments. Roundness is
4π area / perimeter², at most 1, its perimeter being all borders, those of holes too.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Polygons = NDArray[np.object_]


@dataclass(frozen=True)
class RegionShapes:
    """One value per region, float64 (n,); lengths and areas in the unit of the outlines."""

    area: Floats
    convex_area: Floats
    perimeter: Floats
    roundness: Floats
    extent: Floats
    solidity: Floats


def region_shapes(polygons: Polygons) -> RegionShapes:
    """Measure valid polygons (n,) that are not empty."""
    area, perimeter = shapely.area(polygons), shapely.length(polygons)
    left, top, right, bottom = shapely.bounds(polygons).reshape(-1, 4).T
    convex_area = shapely.area(shapely.convex_hull(polygons))
    return RegionShapes(
        area=area,
        convex_area=convex_area,
        perimeter=perimeter,
        roundness=np.minimum(1, 4 * np.pi * area / perimeter**2),
        extent=area / ((right - left) * (bottom - top)),
        solidity=area / convex_area,
    )


def filled_area(polygon: shapely.Polygon) -> float:
    """The area with all holes filled."""
    return float(shapely.Polygon(polygon.exterior).area)


def ellipse_axes(polygon: shapely.Polygon) -> tuple[float, float]:
    """The full lengths of the major and the minor axis of the ellipse that has the same second moments."""
    centered = shapely.transform(polygon, lambda points: points - shapely.get_coordinates(polygon.centroid))
    oriented = shapely.orient_polygons(centered)
    moments = sum((_second_moments(ring) for ring in (oriented.exterior, *oriented.interiors)), np.zeros((2, 2)))
    minor, major = np.linalg.eigvalsh(moments / polygon.area)
    return 4 * float(np.sqrt(major)), 4 * float(np.sqrt(max(minor, 0)))


def _second_moments(ring: shapely.LinearRing) -> Floats:
    """The integrals of x², xy and y² over the inside, by Green's theorem; negative where the ring runs clockwise."""
    here, there = (shapely.get_coordinates(ring)[part] for part in (np.s_[:-1], np.s_[1:]))
    cross = here[:, 0] * there[:, 1] - here[:, 1] * there[:, 0]
    both = here + there
    # Over the triangle of an edge and the origin the integral is cross / 24 times these products.
    weighted = (both * cross[:, None]).T @ both + (here * cross[:, None]).T @ here + (there * cross[:, None]).T @ there
    moments: Floats = weighted / 24
    return moments
