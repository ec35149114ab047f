"""Cells as GeoJSON and GeoParquet: opened as their readers open them, and alike to the last digit."""

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from coverslip.applications import cell_files
from coverslip.applications.cell_files import polygons_of, write_cell_geojson, write_cell_parquet
from coverslip.pathology.cells import NUCLEUS_FEATURES, CellTable, Outlines
from coverslip.pathology.classes import CELL, TISSUE
from harness.results import cell_table

MEASUREMENTS = (*NUCLEUS_FEATURES, "confidence")


def features_of(path: Path) -> list[dict[str, Any]]:
    def refuse(constant: str) -> float:
        raise AssertionError(f"{constant} is no JSON")

    collection = json.loads(path.read_text(), parse_constant=refuse)
    assert collection["type"] == "FeatureCollection"
    features: list[dict[str, Any]] = collection["features"]
    return features


def written(folder: Path, cells: CellTable) -> tuple[list[dict[str, Any]], geopandas.GeoDataFrame]:
    write_cell_geojson(folder / "cells.json", cells)
    write_cell_parquet(folder / "cells.parquet", cells, 0.25)
    return features_of(folder / "cells.json"), geopandas.read_parquet(folder / "cells.parquet")


def polygons_in(features: list[dict[str, Any]]) -> NDArray[np.object_]:
    return shapely.from_geojson([json.dumps(feature["geometry"]) for feature in features])


def test_qupath_finds_what_its_reader_looks_for(tmp_path: Path) -> None:
    cells = cell_table(300)
    features, _ = written(tmp_path, cells)
    assert len(features) == len(cells)
    names = list(CELL)
    for row, feature in enumerate(features):
        assert (feature["type"], feature["id"]) == ("Feature", row + 1)
        properties = feature["properties"]
        assert properties["objectType"] == "detection"
        name = names[cells.classes[row] - 1]
        assert properties["classification"] == {"name": name, "color": list(CELL[name])}
        assert list(properties["measurements"]) == list(MEASUREMENTS)
        expected = [*cells.features[row].tolist(), float(cells.confidence[row])]
        assert list(properties["measurements"].values()) == pytest.approx(expected, abs=5.1e-5)
        (ring,) = feature["geometry"]["coordinates"]
        assert ring[0] == ring[-1]
        assert all(len(vertex) == 2 for vertex in ring)


def test_both_files_hold_the_same(tmp_path: Path) -> None:
    cells = cell_table(500)
    features, frame = written(tmp_path, cells)
    assert shapely.equals_exact(polygons_in(features), frame.geometry.to_numpy(), 0).all()
    assert frame["cell_id"].tolist() == [feature["id"] for feature in features]
    told = [feature["properties"] for feature in features]
    assert frame["class_name"].tolist() == [properties["classification"]["name"] for properties in told]
    for name in MEASUREMENTS:
        texts = np.array([properties["measurements"][name] for properties in told], np.float32)
        assert np.array_equal(frame[name].to_numpy(), texts), name


def test_polygons_are_those_of_the_table_and_valid(tmp_path: Path) -> None:
    cells = cell_table(400)
    features, frame = written(tmp_path, cells)
    polygons = polygons_in(features)
    assert shapely.is_valid(polygons).all()
    assert shapely.is_ccw(shapely.get_exterior_ring(polygons)).all()
    for row, polygon in enumerate(polygons):
        vertices = cells.outlines.vertices[cells.outlines.offsets[row] : cells.outlines.offsets[row + 1]]
        assert shapely.hausdorff_distance(polygon, shapely.Polygon(vertices)) < 0.01
    x, y = frame["centroid_x_px"].to_numpy(), frame["centroid_y_px"].to_numpy()
    assert np.abs(np.column_stack([x, y]) - cells.centroids_px).max() <= 0.005 + 1e-9
    tissues = list(TISSUE)
    assert frame["tissue"].tolist() == [tissues[label - 1] for label in cells.tissue]


def test_geoparquet_says_that_its_numbers_are_pixels(tmp_path: Path) -> None:
    cells = cell_table(200)
    _, frame = written(tmp_path, cells)
    assert frame.crs is None
    metadata = pq.read_schema(tmp_path / "cells.parquet").metadata
    column = json.loads(metadata[b"geo"])["columns"]["geometry"]
    assert column["crs"] is None
    assert (column["encoding"], column["geometry_types"]) == ("WKB", ["Polygon"])
    assert column["bbox"] == pytest.approx(frame.total_bounds.tolist(), abs=0)
    assert json.loads(metadata[b"coverslip"]) == {"mpp": 0.25}


def test_a_reader_of_a_part_skips_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cell_files, "ROW_GROUP", 100)
    cells = cell_table(1000)
    order = np.argsort(cells.centroids_px[:, 1])
    rows = [polygons_of(cells, slice(i, i + 1))[0].exterior.coords[:-1] for i in order.tolist()]
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    sorted_cells = replace(
        cells,
        centroids_px=cells.centroids_px[order],
        outlines=Outlines(np.concatenate(rows).astype(np.float32), offsets),
    )
    path = tmp_path / "cells.parquet"
    write_cell_parquet(path, sorted_cells, 0.25)
    assert pq.ParquetFile(path).num_row_groups == 10
    part = geopandas.read_parquet(path, bbox=(0, 0, 2000, 100))
    assert 0 < len(part) < 200
    assert (part.geometry.bounds["miny"] <= 100).all()


def test_pieces_join_without_a_seam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = cell_table(257)
    write_cell_geojson(tmp_path / "whole.json", cells)
    monkeypatch.setattr(cell_files, "CELLS_AT_ONCE", 64)
    write_cell_geojson(tmp_path / "pieces.json", cells)
    assert (tmp_path / "pieces.json").read_bytes() == (tmp_path / "whole.json").read_bytes()


def test_measurements_that_are_no_numbers_are_left_out(tmp_path: Path) -> None:
    cells = cell_table(3)
    cells.features[0, 2], cells.features[1, :] = math.nan, math.inf
    features, frame = written(tmp_path, cells)
    told = [set(feature["properties"]["measurements"]) for feature in features]
    assert told[0] == set(MEASUREMENTS) - {NUCLEUS_FEATURES[2]}
    assert told[1] == {"confidence"}
    assert told[2] == set(MEASUREMENTS)
    assert math.isnan(frame[NUCLEUS_FEATURES[2]][0])


def test_no_cells_are_files_too(tmp_path: Path) -> None:
    features, frame = written(tmp_path, cell_table(0))
    assert features == []
    assert len(frame) == 0
    assert {"geometry", "class_name", "tissue", *MEASUREMENTS} <= set(frame.columns)


@given(
    centre=st.tuples(st.floats(-5, 200_000), st.floats(-5, 200_000)),
    radii_px=st.lists(st.floats(2, 60), min_size=3, max_size=40),
    clockwise=st.booleans(),
)
def test_any_star_shaped_outline_is_written_alike_valid_and_counterclockwise(
    tmp_path: Path, centre: tuple[float, float], radii_px: list[float], clockwise: bool
) -> None:
    angles = np.linspace(0, 2 * np.pi, len(radii_px), endpoint=False)
    vertices = np.array(centre) + np.array(radii_px)[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    vertices = vertices[::-1] if clockwise else vertices
    cells = replace(cell_table(1), outlines=Outlines(vertices.astype(np.float32), np.array([0, len(vertices)])))
    features, frame = written(tmp_path, cells)
    (polygon,) = polygons_in(features)
    assert polygon.is_valid
    assert polygon.exterior.is_ccw
    assert polygon.equals_exact(frame.geometry[0], 0)
    assert np.abs(shapely.get_coordinates(polygon) * 100 % 1 - 0.5).min() > 0.49  # whole hundredths


MANY = """
import resource, sys
from pathlib import Path
import numpy as np
from coverslip.applications.cell_files import write_cell_geojson, write_cell_parquet
from coverslip.pathology.cells import NUCLEUS_FEATURES, CellTable, Outlines

folder, count, sides = Path(sys.argv[1]), int(sys.argv[2]), 20
outlines = np.memmap(folder / "outlines", np.float32, "w+", shape=(count * sides, 2))
angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
outlines[:] = np.tile(50 * np.stack([np.cos(angle), np.sin(angle)], axis=1), (count, 1))
ones = np.ones(count, np.uint8)
cells = CellTable(
    np.zeros((count, 2)), ones, np.zeros(count, np.float32), ones,
    np.zeros((count, len(NUCLEUS_FEATURES)), np.float32), Outlines(outlines, np.arange(count + 1) * sides),
)
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before = peak()
write_cell_geojson(folder / "cells.json", cells)
write_cell_parquet(folder / "cells.parquet", cells, 0.25)
print(peak() - before, (folder / "cells.json").stat().st_size // 2**20)
"""


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak_and_size_mb(count: int) -> list[int]:
        command = [sys.executable, "-c", MANY, str(tmp_path), str(count)]
        return [int(word) for word in subprocess.run(command, capture_output=True, check=True).stdout.split()]

    small, large = peak_and_size_mb(70_000), peak_and_size_mb(280_000)
    assert large[1] - small[1] > 150
    assert large[0] - small[0] < 100
