"""Finding and reading slides."""

import importlib.util
import shutil
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from coverslip.workflow.errors import NoUsableSlides, SourceMissing
from coverslip.workflow.events import Event, SlideRead, SlideUnreadable
from coverslip.workflow.prepare import find_slides, prepare

SLIDES = Path(__file__).parents[3] / "shared" / "slides"


def dicom_writer() -> ModuleType:
    """The module of the tests of `slides`."""
    name = "dicom_writer"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[1] / "slides" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def test_slides_are_found_by_suffix_in_all_folders(tmp_path: Path) -> None:
    run_folder = "0f7c9f0e-5a55-4f6c-9a1c-0a3f3b6d2e11"
    wanted = ["b/A.SVS", "b/c/d.tiff", "e.ndpi"]
    for name in [*wanted, "notes.txt", ".hidden.svs", ".cache/x.svs", f"{run_folder}/s/mask.tiff", "slides.csv"]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert find_slides(tmp_path) == [tmp_path / name for name in wanted]


def test_one_file_is_taken_whatever_its_suffix(tmp_path: Path) -> None:
    (tmp_path / "slide.odd").touch()
    assert find_slides(tmp_path / "slide.odd") == [tmp_path / "slide.odd"]


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceMissing, match="nowhere"):
        prepare(tmp_path / "nowhere")


def test_slides_become_rows_and_bad_ones_do_not_cost_the_rest(tmp_path: Path) -> None:
    shutil.copy(SLIDES / "CMU-1-Small-Region.svs", tmp_path / "good.svs")
    (tmp_path / "bad.svs").write_bytes(b"not a slide")
    (tmp_path / "index.mrxs").write_bytes(b"")
    events: list[Event] = []
    prepared = prepare(tmp_path, events.append)
    (row,) = prepared.rows
    assert row.external_id == str(tmp_path / "good.svs")
    assert (row.width_px, row.height_px) == (2220, 2967)
    assert row.resolution_mpp == pytest.approx(0.499)
    assert len(row.checksum_base64_crc32c) == 8
    assert [event.path.name for event in prepared.unreadable] == ["bad.svs", "index.mrxs"]
    assert "several files" in prepared.unreadable[1].reason
    assert [event for event in events if isinstance(event, SlideUnreadable)] == prepared.unreadable
    reads = [event for event in events if isinstance(event, SlideRead)]
    assert reads[-1].done_bytes == reads[-1].total_bytes == (tmp_path / "good.svs").stat().st_size


def test_a_folder_without_slides_says_what_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(NoUsableSlides, match=r"\.svs"):
        prepare(tmp_path)


def test_a_dicom_series_is_one_row(tmp_path: Path) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (600, 500, 3), np.uint8)
    levels = [pixels, np.ascontiguousarray(pixels[::2, ::2])]
    first = dicom_writer().write_series(tmp_path / "a" / "series", levels, 0.25)
    second = dicom_writer().write_series(tmp_path / "b", levels, 0.5)
    prepared = prepare(tmp_path)
    assert [row.external_id for row in prepared.rows] == [str(first[0]), str(second[0])]
    assert [row.resolution_mpp for row in prepared.rows] == pytest.approx([0.25, 0.5])
    assert [(row.width_px, row.height_px) for row in prepared.rows] == [(500, 600)] * 2
    assert prepared.unreadable == []


def test_a_level_that_is_asked_for_is_described_as_itself(tmp_path: Path) -> None:
    pixels = np.zeros((600, 500, 3), np.uint8)
    files = dicom_writer().write_series(tmp_path, [pixels, np.ascontiguousarray(pixels[::2, ::2])], 0.25)
    (row,) = prepare(files[1]).rows
    assert (row.width_px, row.height_px, row.resolution_mpp) == (250, 300, pytest.approx(0.5))


def test_dicom_files_without_a_slide_say_why(tmp_path: Path) -> None:
    shutil.copy(SLIDES / "TCGA-LUAD_86-6562_volume_8mpp.dcm", tmp_path)
    shutil.copy(SLIDES / "TCGA-LUAD_91-6830_thumbnail.dcm", tmp_path)
    prepared = prepare(tmp_path)
    assert [Path(row.external_id).name for row in prepared.rows] == ["TCGA-LUAD_86-6562_volume_8mpp.dcm"]
    assert prepared.rows[0].resolution_mpp == pytest.approx(8.065226874391001)
    assert prepared.rows[0].checksum_base64_crc32c == "EfIIhA=="
    (thumbnail,) = prepared.unreadable
    assert "THUMBNAIL" in thumbnail.reason


def test_a_zipped_series_is_a_row(tmp_path: Path) -> None:
    files = dicom_writer().write_series(tmp_path / "series", [np.zeros((600, 500, 3), np.uint8)], 0.25)
    with zipfile.ZipFile(tmp_path / "series.zip", "w") as archive:
        for file in files:
            archive.write(file, file.name)
    shutil.rmtree(tmp_path / "series")
    (row,) = prepare(tmp_path).rows
    assert (row.external_id, row.width_px) == (str(tmp_path / "series.zip"), 500)


def test_the_truth_beside_a_phantom_is_no_slide(tmp_path: Path) -> None:
    for name in ("phantom.tif", "phantom.truth.qc.tif", "phantom.truth.tissue.tif"):
        (tmp_path / name).touch()
    assert [path.name for path in find_slides(tmp_path)] == ["phantom.tif"]
