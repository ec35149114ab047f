"""Finding and reading slides."""

import shutil
from pathlib import Path

import pytest

from coverslip.workflow.errors import NoUsableSlides, SourceMissing
from coverslip.workflow.events import Event, SlideRead, SlideUnreadable
from coverslip.workflow.prepare import find_slides, prepare

SLIDES = Path(__file__).parents[3] / "shared" / "slides"


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
