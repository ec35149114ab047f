"""Regions as GeoParquet beside GeoJSON."""

import json
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely

from coverslip.applications.region_files import ClassRegion, write_geojson, write_region_parquet
from coverslip.pathology.classes import TISSUE
from coverslip.pathology.polygons import regions_of
from harness.results import tissue_map

MPP = 0.5


def regions() -> list[ClassRegion]:
    names = list(TISSUE)
    found = regions_of(tissue_map(120, 160), 8, 1275, 955, 6.0)
    return [ClassRegion(names[region.label - 1], region.polygon) for region in found]


def test_both_files_hold_the_same_polygons_with_their_holes(tmp_path: Path) -> None:
    told = regions()
    write_geojson(tmp_path / "regions.json", told, TISSUE, MPP)
    write_region_parquet(tmp_path / "regions.parquet", told, MPP)
    features = json.loads((tmp_path / "regions.json").read_text())["features"]
    frame = geopandas.read_parquet(tmp_path / "regions.parquet")
    polygons = shapely.from_geojson([json.dumps(feature["geometry"]) for feature in features])
    assert shapely.equals_exact(polygons, frame.geometry.to_numpy(), 0).all()
    assert shapely.equals(polygons, np.array([region.polygon for region in told])).all()
    assert shapely.get_num_interior_rings(polygons).sum() > 0
    properties = [feature["properties"] for feature in features]
    assert frame["class_name"].tolist() == [entry["classification"]["name"] for entry in properties]
    assert frame["area_um2"].tolist() == [entry["measurements"]["area_um2"] for entry in properties]
    assert frame["kind"].isna().all()


def test_shells_turn_counterclockwise_and_holes_clockwise(tmp_path: Path) -> None:
    write_region_parquet(tmp_path / "regions.parquet", regions(), MPP)
    for polygon in geopandas.read_parquet(tmp_path / "regions.parquet").geometry:
        assert polygon.exterior.is_ccw
        assert not any(hole.is_ccw for hole in polygon.interiors)


def test_a_kind_is_kept(tmp_path: Path) -> None:
    fold = ClassRegion("Tissue Artifact", shapely.box(0, 0, 20, 10), "fold")
    write_region_parquet(tmp_path / "regions.parquet", [fold], MPP)
    (row,) = geopandas.read_parquet(tmp_path / "regions.parquet").to_dict("records")
    assert (row["class_name"], row["kind"], row["area_um2"]) == ("Tissue Artifact", "fold", pytest.approx(50))


def test_no_regions_are_a_file_too(tmp_path: Path) -> None:
    write_region_parquet(tmp_path / "regions.parquet", [], MPP)
    assert len(geopandas.read_parquet(tmp_path / "regions.parquet")) == 0
