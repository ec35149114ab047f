"""Write regions as files for other programs: GeoJSON for QuPath, GeoParquet for notebooks, CSV for tables.

All come from the same regions; GeoJSON and GeoParquet hold the same polygons in the same order.
"""

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import shapely

from coverslip.applications.geoparquet import counterclockwise, geometry_columns, open_writer
from coverslip.pathology.classes import ClassColors

PARQUET_FIELDS = {"class_name": pa.string(), "kind": pa.string(), "area_um2": pa.float64()}
"""The columns after those of the geometry."""


@dataclass(frozen=True)
class ClassRegion:
    """A region of a class; ``polygon`` is in level-0 pixels, ``kind`` says more than its class, where there is more."""

    class_name: str
    polygon: shapely.Polygon
    kind: str | None = None


def write_geojson(path: Path, regions: Iterable[ClassRegion], classes: ClassColors, mpp: float) -> None:
    """Write a FeatureCollection (RFC 7946) whose coordinates are level-0 pixels, which QuPath opens as annotations.

    Each feature holds its class name and colour, its area in µm² and mm², and its kind, where it has one, as its name
    and in ``metadata``, both of which QuPath shows; ``mpp`` is µm per level-0 pixel.
    """
    with path.open("w", encoding="utf-8") as file:
        file.write('{"type": "FeatureCollection", "features": [')
        for number, region in enumerate(regions):
            area_um2 = region.polygon.area * mpp**2
            (polygon,) = counterclockwise(np.array([region.polygon]))
            properties: dict[str, object] = {
                "objectType": "annotation",
                "classification": {"name": region.class_name, "color": list(classes[region.class_name])},
                "measurements": {"area_um2": round(area_um2, 3), "area_mm2": round(area_um2 / 1e6, 9)},
            }
            if region.kind is not None:
                properties |= {"name": region.kind, "metadata": {"kind": region.kind}}
            feature = {
                "type": "Feature",
                "geometry": shapely.geometry.mapping(polygon),
                "properties": properties,
            }
            file.write(",\n" if number else "\n")
            json.dump(feature, file)
        file.write("\n]}\n")


def write_region_parquet(path: Path, regions: Sequence[ClassRegion], mpp: float) -> None:
    """Write GeoParquet with the columns `PARQUET_FIELDS`; ``kind`` is null where a region has none."""
    polygons = counterclockwise(np.array([region.polygon for region in regions], object))
    columns = {
        **geometry_columns(polygons),
        "class_name": pa.array([region.class_name for region in regions], pa.string()),
        "kind": pa.array([region.kind for region in regions], pa.string()),
        "area_um2": pa.array(np.round(shapely.area(polygons) * mpp**2, 3)),
    }
    bounds = shapely.total_bounds(polygons) if regions else None
    with open_writer(path, PARQUET_FIELDS, bounds, mpp) as writer:
        writer.write_table(pa.table(columns, schema=writer.schema))


def write_class_information(
    path: Path,
    regions: Sequence[ClassRegion],
    classes: ClassColors,
    mpp: float,
    not_counted: frozenset[str] = frozenset(),
    kinds: Sequence[str] = (),
) -> None:
    """Write one row per class: class, area_um2, area_percent, region_count, and area_um2 of each kind.

    ``area_percent`` is the share of the areas of all classes but those ``not_counted``, which have ``N/A``. The columns
    of ``kinds`` are called like ``fold_area_um2`` and hold ``N/A`` for classes without kinds.
    """
    area_um2, count = dict.fromkeys(classes, 0.0), dict.fromkeys(classes, 0)
    of_kind = {(name, kind): 0.0 for name in {r.class_name for r in regions if r.kind} for kind in kinds}
    for region in regions:
        region_um2 = region.polygon.area * mpp**2
        area_um2[region.class_name] += region_um2
        count[region.class_name] += 1
        if region.kind is not None:
            of_kind[region.class_name, region.kind] += region_um2
    whole_um2 = sum(area for name, area in area_um2.items() if name not in not_counted)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        columns = [f"{kind.replace(' ', '_')}_area_um2" for kind in kinds]
        writer.writerow(["class", "area_um2", "area_percent", "region_count", *columns])
        for name in classes:
            counted = name not in not_counted and whole_um2 > 0
            percent = f"{100 * area_um2[name] / whole_um2:.4f}" if counted else "N/A"
            by_kind = [f"{of_kind[name, kind]:.3f}" if (name, kind) in of_kind else "N/A" for kind in kinds]
            writer.writerow([name, f"{area_um2[name]:.3f}", percent, count[name], *by_kind])
