"""Readouts of areas and regions."""

from collections.abc import Mapping, Sequence

import numpy as np
import shapely

from coverslip.pathology.classes import TISSUE, label_of
from coverslip.pathology.polygons import Region
from coverslip.pathology.readouts.columns import REGION_READOUTS, column
from coverslip.pathology.readouts.region_shape import Polygons, ellipse_axes, filled_area, region_shapes
from coverslip.pathology.readouts.values import Value, quotient


def area_values(areas_um2: Mapping[str, float], not_counted: frozenset[str] = frozenset()) -> dict[str, Value]:
    """The area of each class in µm², and its percentage of all but those ``not_counted``, which have none."""
    whole_um2 = sum(area_um2 for name, area_um2 in areas_um2.items() if name not in not_counted)
    values: dict[str, Value] = {}
    for name, area_um2 in areas_um2.items():
        values[column("ABSOLUTE_AREA", name)] = area_um2
        values[column("RELATIVE_AREA", name)] = None if name in not_counted else quotient(area_um2, whole_um2, 100)
    return values


def region_values(regions: Sequence[Region], mpp: float) -> dict[str, Value]:
    """`REGION_READOUTS` of each class of `TISSUE`; ``mpp`` is µm per level-0 pixel."""
    values: dict[str, Value] = {}
    for name in TISSUE:
        label = label_of(TISSUE, name)
        polygons = np.array([region.polygon for region in regions if region.label == label], object)
        found = _values(shapely.transform(polygons, lambda points: points * mpp)) if len(polygons) else {}
        values |= {column(readout, name): found.get(readout) for readout in REGION_READOUTS}
        values[column("REGION_COUNT", name)] = len(polygons)
    return values


def _values(polygons: Polygons) -> dict[str, float]:
    shapes = region_shapes(polygons)
    largest = int(shapes.area.argmax())
    major_axis, minor_axis = ellipse_axes(polygons[largest])
    return {
        "AVG_ECCENTRICITY": 1 - float(shapes.roundness.mean()),
        "AVG_EXTENT": float(shapes.extent.mean()),
        "AVG_SOLIDICITY": float(shapes.solidity.mean()),
        "LARGEST_CONVEX_AREA": float(shapes.convex_area[largest]),
        "LARGEST_FILLED_AREA": filled_area(polygons[largest]),
        "LARGEST_ROUNDNESS": float(shapes.roundness[largest]),
        "LARGEST_MAJ_AXIS": major_axis,
        "LARGEST_MNR_AXIS": minor_axis,
        "LARGEST_PERIMETER": float(shapes.perimeter[largest]),
        "LARGEST_SOLIDICITY": float(shapes.solidity[largest]),
        "LARGEST_ECCENTRICITY": 1 - float(shapes.roundness[largest]),
    }
