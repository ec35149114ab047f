"""Downloaded results read back."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from coverslip.applications import cell_files
from coverslip.applications.errors import ResultMissing, ResultOfAnotherSlide, ResultUnreadable
from coverslip.applications.result_files import (
    CELL_FILE,
    TISSUE_FILE,
    TISSUE_MAP_FILE,
    TISSUE_QC_FILE,
    Window,
    check_slide,
    read_cells,
    read_info,
    read_regions,
    read_tissue_map,
)
from coverslip.slides import open_slide
from harness.results import cell_table, tissue_map, write_results


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return write_results(tmp_path / "results", cell_table(500))


def test_cells_come_back_as_they_were(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells, read = cell_table(500), read_cells(results)
    assert np.array_equal(read.classes, cells.classes)
    assert np.array_equal(read.tissue, cells.tissue)
    assert np.array_equal(read.outlines.offsets, cells.outlines.offsets)
    assert np.abs(read.centroids_px - cells.centroids_px).max() < 0.006
    assert np.abs(read.features - cells.features).max() < 6e-5
    assert np.abs(read.confidence - cells.confidence).max() < 6e-5
    for row in range(len(cells)):
        mine, theirs = (
            shapely.Polygon(table.outlines.vertices[table.outlines.offsets[row] : table.outlines.offsets[row + 1]])
            for table in (read, cells)
        )
        assert shapely.hausdorff_distance(mine, theirs) < 0.01
    for field in fields(cells):
        if field.name != "outlines":
            assert getattr(read, field.name).dtype == getattr(cells, field.name).dtype


def test_order_is_kept_over_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cell_files, "ROW_GROUP", 64)
    results = write_results(tmp_path / "results", cell_table(1000))
    assert np.array_equal(read_cells(results).classes, cell_table(1000).classes)


def test_a_window_gives_what_touches_it(results: Path) -> None:
    cells, window = cell_table(500), Window(300, 200, 400, 300)
    found = read_cells(results, window)
    inside = ((cells.centroids_px > (300, 200)) & (cells.centroids_px < (700, 500))).all(axis=1)
    assert inside.sum() <= len(found) < inside.sum() + 60
    assert {tuple(p) for p in cells.centroids_px[inside].round(2)} <= {tuple(p) for p in found.centroids_px.round(2)}
    assert [region.class_name for region in read_regions(results, TISSUE_QC_FILE, Window(0, 0, 4, 4))] == [
        "Tissue Artifact"
    ]
    assert len(read_cells(results, Window(5000, 5000, 10, 10))) == 0


def test_regions_and_map_come_back(results: Path) -> None:
    regions = read_regions(results, TISSUE_FILE)
    assert [region.class_name for region in regions] == ["Carcinoma", "Necrosis", "Stroma"]
    assert {region.kind for region in regions} == {None}
    assert read_regions(results, TISSUE_QC_FILE)[0].kind == "fold"
    labels, cell_px = read_tissue_map(results)
    assert np.array_equal(labels, tissue_map(188, 250))
    assert cell_px == 8
    assert read_info(results, CELL_FILE).mpp == 0.5


def test_no_cells_come_back_as_none(tmp_path: Path) -> None:
    read = read_cells(write_results(tmp_path / "results", cell_table(0)))
    assert len(read) == 0
    assert len(read.outlines.vertices) == 0


def test_a_missing_file_is_named(results: Path) -> None:
    for name in (CELL_FILE, TISSUE_MAP_FILE):
        (results / name).unlink()
    with pytest.raises(ResultMissing, match=CELL_FILE):
        read_cells(results)
    with pytest.raises(ResultMissing, match=TISSUE_MAP_FILE):
        read_tissue_map(results)


def test_files_of_others_and_damaged_ones_are_refused(results: Path) -> None:
    pq.write_table(pa.table({"x": [1]}), results / CELL_FILE)
    with pytest.raises(ResultUnreadable, match=CELL_FILE):
        read_cells(results)
    with pytest.raises(ResultUnreadable):
        read_info(results, CELL_FILE)
    content = (results / TISSUE_FILE).read_bytes()
    for damaged in (b"", b"PAR1", content[: len(content) // 2], content[:40] + bytes(400) + content[440:]):
        (results / TISSUE_FILE).write_bytes(damaged)
        with pytest.raises(ResultUnreadable, match=TISSUE_FILE):
            read_regions(results, TISSUE_FILE)
    (results / TISSUE_MAP_FILE).write_bytes(b"no picture")
    with pytest.raises(ResultUnreadable):
        read_tissue_map(results)


def test_results_that_reach_beyond_a_slide_are_of_another(results: Path, slides: Path) -> None:
    with open_slide(slides / "CMU-1-Small-Region.svs") as slide:
        check_slide(results, CELL_FILE, slide.info, "slide")
        with pytest.raises(ResultOfAnotherSlide, match="slide has 100 × 2967 px"):
            check_slide(results, CELL_FILE, replace(slide.info, width_px=100), "slide")
