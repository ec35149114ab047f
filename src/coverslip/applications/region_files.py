"""Write regions as files for other programs: GeoJSON for QuPath, CSV for tables. Both come from the same regions."""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import shapely

from coverslip.pathology.classes import ClassColors
from coverslip.pathology.polygons import Region


def write_geojson(path: Path, regions: Iterable[Region], classes: ClassColors, mpp: float) -> None:
    """Write a FeatureCollection (RFC 7946) whose coordinates are level-0 pixels, which QuPath opens as annotations.

    Each feature holds its class name and colour and its area in µm² and mm²; ``mpp`` is µm per level-0 pixel.
    """
    names = list(classes)
    with path.open("w", encoding="utf-8") as file:
        file.write('{"type": "FeatureCollection", "features": [')
        for number, region in enumerate(regions):
            name = names[region.label - 1]
            area_um2 = region.polygon.area * mpp**2
            feature = {
                "type": "Feature",
                "geometry": shapely.geometry.mapping(region.polygon),
                "properties": {
                    "objectType": "annotation",
                    "classification": {"name": name, "color": list(classes[name])},
                    "measurements": {"area_um2": round(area_um2, 3), "area_mm2": round(area_um2 / 1e6, 9)},
                },
            }
            file.write(",\n" if number else "\n")
            json.dump(feature, file)
        file.write("\n]}\n")


def write_class_information(
    path: Path, regions: Sequence[Region], classes: ClassColors, mpp: float, not_counted: frozenset[str] = frozenset()
) -> None:
    """Write one row per class: class, area_um2, area_percent, region_count.

    ``area_percent`` is the share of the areas of all classes but those ``not_counted``, which have ``N/A``.
    """
    names = list(classes)
    area_um2, count = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0)
    for region in regions:
        name = names[region.label - 1]
        area_um2[name] += region.polygon.area * mpp**2
        count[name] += 1
    whole_um2 = sum(area for name, area in area_um2.items() if name not in not_counted)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["class", "area_um2", "area_percent", "region_count"])
        for name in names:
            counted = name not in not_counted and whole_um2 > 0
            percent = f"{100 * area_um2[name] / whole_um2:.4f}" if counted else "N/A"
            writer.writerow([name, f"{area_um2[name]:.3f}", percent, count[name]])
