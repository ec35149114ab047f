"""Size and shape of nuclei, from their outlines."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from coverslip.pathology.cells import Outlines
from coverslip.pathology.nuclei.outline_polygons import polygons_of

Column = NDArray[np.float64]


@dataclass(frozen=True)
class Shapes:
    """One value per outline; lengths in the unit of the outlines, areas in its square; ``centroids`` (n, 2)."""

    centroids: NDArray[np.float64]
    area: Column
    perimeter: Column
    roundness: Column
    major_axis: Column
    minor_axis: Column
    solidity: Column


def shapes_of(outlines: Outlines) -> Shapes:
    """Measure outlines.

    Area, centroid and second moments are those of the polygon (C. Steger, On the calculation of arbitrary moments of
    polygons, TU München FGBV-96-05, 1996). The axes are of the ellipse of equal second moments; roundness is
    4π area / perimeter², at most 1 (E. P. Cox, Journal of Paleontology 1(3), 1927, 179-183); solidity is the share of
    the convex hull that the polygon fills.
    """
    starts, sizes = outlines.offsets[:-1], np.diff(outlines.offsets)
    vertices = np.asarray(outlines.vertices, np.float64)
    origin = vertices[starts]
    here = vertices - np.repeat(origin, sizes, axis=0)  # far from zero, products would lose their digits
    following = np.arange(1, len(here) + 1)
    following[starts + sizes - 1] = starts
    there = here[following]
    x0, y0, x1, y1 = here[:, 0], here[:, 1], there[:, 0], there[:, 1]
    cross = x0 * y1 - x1 * y0

    def total(values: Column) -> Column:
        return np.asarray(np.add.reduceat(values, starts) if len(starts) else np.empty(0))

    signed = total(cross) / 2
    area = np.abs(signed)
    divisor = np.where(area > 0, signed, 1.0)
    x, y = total((x0 + x1) * cross) / (6 * divisor), total((y0 + y1) * cross) / (6 * divisor)
    xx = total((x0 * x0 + x0 * x1 + x1 * x1) * cross) / (12 * divisor) - x * x
    yy = total((y0 * y0 + y0 * y1 + y1 * y1) * cross) / (12 * divisor) - y * y
    xy = total((x0 * y1 + 2 * x0 * y0 + 2 * x1 * y1 + x1 * y0) * cross) / (24 * divisor) - x * y
    mean, spread = (xx + yy) / 2, np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    perimeter = total(np.hypot(x1 - x0, y1 - y0))
    return Shapes(
        centroids=np.stack([x, y], axis=1) + origin,
        area=area,
        perimeter=perimeter,
        roundness=np.minimum(1.0, 4 * np.pi * area / np.maximum(perimeter, 1e-9) ** 2),
        major_axis=4 * np.sqrt(np.maximum(mean + spread, 0)),
        minor_axis=4 * np.sqrt(np.maximum(mean - spread, 0)),
        solidity=area / np.maximum(shapely.area(shapely.convex_hull(polygons_of(outlines))), np.maximum(area, 1e-9)),
    )
