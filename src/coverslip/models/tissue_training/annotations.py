"""Read painted regions from GeoJSON, as QuPath exports them."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shapely

from coverslip.models.errors import AnnotationClassUnknown, AnnotationsUnreadable, AnnotationUnusable
from coverslip.pathology.classes import TISSUE

AREAS = ("Polygon", "MultiPolygon")


@dataclass(frozen=True)
class PaintedRegion:
    """An area of a class of `TISSUE`; ``area`` is in level-0 pixels and valid."""

    class_name: str
    area: shapely.Polygon | shapely.MultiPolygon

    def unusable(self, path: Path, reason: str) -> AnnotationUnusable:
        """The error that says where it is and why it cannot be trained on."""
        x_px, y_px = (round(value) for value in self.area.bounds[:2])
        return AnnotationUnusable(name=self.class_name, x_px=x_px, y_px=y_px, path=path, reason=reason)


def read_annotations(path: Path) -> list[PaintedRegion]:
    """The regions that have a class; what has none is left out.

    Raises
    ------
    AnnotationsUnreadable
        If the file is missing or no GeoJSON, or nothing in it has a class.
    AnnotationClassUnknown
        If a class is none of `TISSUE`.
    AnnotationUnusable
        If something with a class is no area.
    """
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise AnnotationsUnreadable(path=path, reason=error.strerror or error) from error
    except ValueError as error:
        raise AnnotationsUnreadable(path=path, reason="it is no JSON") from error
    regions = list(_regions(path, document))
    if not regions:
        raise AnnotationsUnreadable(path=path, reason="none of its annotations has a class")
    return regions


def _regions(path: Path, document: Any) -> Iterator[PaintedRegion]:
    for feature in _features(path, document):
        name = _class_of(feature)
        if name is None:
            continue
        if name not in TISSUE:
            raise AnnotationClassUnknown(path=path, name=name, known=", ".join(TISSUE))
        try:
            shape = shapely.geometry.shape(feature["geometry"])
            region = PaintedRegion(name, shapely.make_valid(shape, method="structure", keep_collapsed=False))
        except (AttributeError, LookupError, TypeError, ValueError, shapely.errors.ShapelyError) as error:
            raise _senseless(path, name) from error
        if not all(map(math.isfinite, region.area.bounds)):
            raise _senseless(path, name)
        if region.area.geom_type not in AREAS:
            raise region.unusable(path, "it is no area; paint with the brush or the polygon tool")
        yield region


def _senseless(path: Path, name: str) -> AnnotationsUnreadable:
    return AnnotationsUnreadable(path=path, reason=f"a feature of class {name} has no coordinates that make sense")


def _features(path: Path, document: Any) -> list[Any]:
    """The features of a collection, of a list, or a single one: QuPath writes each of these."""
    features = document
    if isinstance(document, dict):
        features = document.get("features") if document.get("type") == "FeatureCollection" else [document]
    if not isinstance(features, list) or not all(isinstance(one, dict) and "geometry" in one for one in features):
        raise AnnotationsUnreadable(path=path, reason="it is no GeoJSON with features")
    return features


def _class_of(feature: dict[str, Any]) -> str | None:
    properties = feature.get("properties")
    classification = properties.get("classification") if isinstance(properties, dict) else None
    if not isinstance(classification, dict):
        return None
    # QuPath gives the class Tumor: Positive its parts as names.
    names = classification.get("names")
    return str(classification.get("name") or ": ".join(map(str, names or ()))) or None
