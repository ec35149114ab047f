"""Values of readouts, and the sums that many of them start from."""

import math
from collections.abc import Sequence

from coverslip.pathology.classes import ClassColors
from coverslip.pathology.polygons import Region

Value = int | float | str | None
"""None where there is nothing to say, such as the mean of nothing."""


def quotient(part: float, whole: float, factor: float = 1.0) -> float | None:
    """``factor * part / whole``, or None where the whole is 0."""
    return factor * part / whole if whole else None


def known(value: float) -> float | None:
    """The value, or None for NaN."""
    return None if math.isnan(value) else float(value)


def class_areas_um2(regions: Sequence[Region], classes: ClassColors, mpp: float) -> dict[str, float]:
    """The area of each class; ``mpp`` is µm per level-0 pixel."""
    areas_um2 = dict.fromkeys(classes, 0.0)
    names = list(classes)
    for region in regions:
        areas_um2[names[region.label - 1]] += float(region.polygon.area) * mpp**2
    return areas_um2
