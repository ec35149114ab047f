"""Painted regions are read from what QuPath writes, and all else is refused with its cure."""

import json
from pathlib import Path
from typing import Any

import pytest
import shapely

from coverslip.models.errors import AnnotationClassUnknown, AnnotationsUnreadable, AnnotationUnusable
from coverslip.models.tissue_training.annotations import read_annotations
from harness.painted_slides import feature, write_collection

SQUARE = shapely.box(10, 20, 50, 60)


def written(path: Path, document: object) -> Path:
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize(
    "document",
    [
        {"type": "FeatureCollection", "features": [feature("Stroma", SQUARE)]},
        [feature("Stroma", SQUARE)],
        feature("Stroma", SQUARE),
    ],
    ids=["collection", "list", "single"],
)
def test_every_form_that_qupath_writes_is_read(tmp_path: Path, document: object) -> None:
    (region,) = read_annotations(written(tmp_path / "a.geojson", document))
    assert region.class_name == "Stroma"
    assert region.area.equals(SQUARE)


def test_what_has_no_class_is_left_out(tmp_path: Path) -> None:
    hole = SQUARE.difference(shapely.box(20, 30, 30, 40))
    painted = shapely.MultiPolygon([hole, shapely.box(100, 100, 120, 120)])
    features = [feature(None, SQUARE), feature("Blood", painted)]
    (region,) = read_annotations(write_collection(tmp_path / "a.geojson", features))
    assert region.area.area == painted.area


def test_an_outline_that_crosses_itself_is_mended(tmp_path: Path) -> None:
    bow_tie = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    (region,) = read_annotations(write_collection(tmp_path / "a.geojson", [feature("Other", bow_tie)]))
    assert region.area.is_valid
    assert region.area.area == pytest.approx(50)


@pytest.mark.parametrize(
    "document",
    [
        3,
        {"type": "Polygon"},
        {"type": "FeatureCollection", "features": [1]},
        {"type": "FeatureCollection"},
        [{**feature("Stroma", SQUARE), "geometry": None}],
        [{**feature("Stroma", SQUARE), "geometry": {"type": "Polygon", "coordinates": [[["a", 1]]]}}],
        [{**feature("Stroma", SQUARE), "geometry": {"type": "Circle"}}],
        [{**feature("Stroma", SQUARE), "geometry": {"type": "Polygon", "coordinates": []}}],
        [{**feature("Stroma", SQUARE), "geometry": {"type": "MultiPolygon", "coordinates": []}}],
        [feature("Stroma", shapely.Polygon([(0, 0), (1, 1), (2, 2)]))],
        [feature("Stroma", shapely.box(0, 0, float("inf"), 9))],
        [feature(None, SQUARE)],
        [],
    ],
)
def test_what_is_no_annotation_is_refused(tmp_path: Path, document: Any) -> None:
    with pytest.raises(AnnotationsUnreadable, match="Export them from QuPath"):
        read_annotations(written(tmp_path / "a.geojson", document))


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AnnotationsUnreadable, match="No such file"):
        read_annotations(tmp_path / "nothing.geojson")
    (tmp_path / "slide.svs").write_bytes(b"\xff\xfe\x00II*")
    with pytest.raises(AnnotationsUnreadable, match="no JSON"):
        read_annotations(tmp_path / "slide.svs")


def test_an_unknown_class_is_told_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(AnnotationClassUnknown, match=r"class Tumor,.*Carcinoma, Epithelial Tissue, Necrosis") as caught:
        read_annotations(write_collection(tmp_path / "a.geojson", [feature("Tumor", SQUARE)]))
    assert caught.value.facts["name"] == "Tumor"
    derived = {**feature("Stroma", SQUARE), "properties": {"classification": {"names": ["Stroma", "Positive"]}}}
    with pytest.raises(AnnotationClassUnknown, match="class Stroma: Positive,"):
        read_annotations(write_collection(tmp_path / "b.geojson", [derived]))


@pytest.mark.parametrize("shape", [shapely.Point(7, 9), shapely.LineString([(7, 9), (20, 30)])])
def test_what_is_no_area_is_refused(tmp_path: Path, shape: shapely.Geometry) -> None:
    with pytest.raises(AnnotationUnusable, match=r"Stroma at x 7, y 9 .* no area"):
        read_annotations(write_collection(tmp_path / "a.geojson", [feature("Stroma", shape)]))
