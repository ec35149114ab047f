"""Phantom slides with regions painted as a person would: a few discs well inside of what the truth says is there."""

import json
from pathlib import Path

import shapely

from coverslip.models.tissue_training.samples import PaintedSlide
from coverslip.slides.phantom import PhantomOptions, PhantomTruth, write_phantom

MPP = 0.5
PLACES = 6
LARGEST_UM, SMALLEST_UM = 100.0, 25.0
"""Radii of the discs."""
APART_UM = 170.0


def write_slide(folder: Path, seed: int, side_px: int = 4096) -> PhantomTruth:
    """A phantom with nothing on it but tissue and dust."""
    options = PhantomOptions(side_px, side_px, MPP, seed, pen_mark=False, blur_patch=False, fold=False, bubble=False)
    return write_phantom(folder / f"phantom-{seed}.tif", options, jobs=1)


def paint_truth(phantom: PhantomTruth) -> PaintedSlide:
    """Paint each class of tissue at up to `PLACES` places of a phantom."""
    features = []
    regions = json.loads(phantom.regions.read_text())["features"]
    tissue = [region for region in regions if region["properties"]["stage"] == "tissue_segmentation"]
    for name in dict.fromkeys(region["properties"]["classification"]["name"] for region in tissue):
        shapes = [
            shapely.geometry.shape(region["geometry"])
            for region in tissue
            if region["properties"]["classification"]["name"] == name
        ]
        features += [feature(name, disc) for disc in _discs(shapely.union_all(shapes))]
    annotations = phantom.slide.with_suffix(".painted.geojson")
    write_collection(annotations, features)
    return PaintedSlide(phantom.slide, annotations)


def _discs(tissue: shapely.Geometry) -> list[shapely.Polygon]:
    found: list[shapely.Polygon] = []
    while len(found) < PLACES and not tissue.is_empty:
        largest = max(getattr(tissue, "geoms", [tissue]), key=lambda part: part.area)
        radius = shapely.maximum_inscribed_circle(largest, tolerance=8)
        if radius.length * MPP < SMALLEST_UM:
            break
        centre = shapely.Point(radius.coords[0])
        reach_px = min(radius.length, LARGEST_UM / MPP)
        found.append(centre.buffer(reach_px * 0.9))
        tissue = tissue.difference(centre.buffer(reach_px * 0.9 + APART_UM / MPP + reach_px))
        tissue = shapely.GeometryCollection() if tissue.area == 0 else tissue
    return found


def feature(class_name: str | None, area: shapely.Geometry) -> dict[str, object]:
    """An annotation as QuPath writes it."""
    properties: dict[str, object] = {"objectType": "annotation"}
    if class_name is not None:
        properties["classification"] = {"name": class_name, "color": [200, 0, 0]}
    return {"type": "Feature", "geometry": shapely.geometry.mapping(area), "properties": properties}


def write_collection(path: Path, features: list[dict[str, object]]) -> Path:
    """Write annotations as GeoJSON; the same path."""
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path
