"""Every file is opened by the right reader or refused by an error that says why."""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coverslip.slides import open_slide
from coverslip.slides.errors import (
    NotASlide,
    SlideError,
    SlideMissing,
    SlideTruncated,
    SlideUnreadable,
)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SlideMissing, match=r"gone\.svs"):
        open_slide(tmp_path / "gone.svs")


def test_folder_empty_file_and_garbage_are_no_slides(tmp_path: Path) -> None:
    (tmp_path / "empty.svs").touch()
    (tmp_path / "text.svs").write_text("not a slide" * 100)
    for path, reason in (
        (tmp_path, "holds no DICOM"),
        (tmp_path / "empty.svs", "empty"),
        (tmp_path / "text.svs", "unknown"),
    ):
        with pytest.raises(NotASlide, match=reason):
            open_slide(path)


def test_pipe_is_no_slide(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.svs")
    with pytest.raises(NotASlide):
        open_slide(tmp_path / "pipe.svs")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
@pytest.mark.parametrize("mode", [0o000, 0o644])
def test_file_that_may_not_be_read(svs: Path, tmp_path: Path, mode: int) -> None:
    """By another user if need be, from whom a file (mode 0) or its folder (mode 644) is kept."""
    folder = tmp_path / "kept"
    folder.mkdir()
    path = shutil.copy(svs, folder)
    Path(path).chmod(mode)
    folder.chmod(0o755 if mode == 0 else 0o000)
    for above in [tmp_path, *tmp_path.parents][:-2] if os.geteuid() == 0 else []:
        above.chmod(above.stat().st_mode | 0o011)
    code = """
import os, sys
import coverslip.slides.crc32c, coverslip.slides.errors, coverslip.slides.opening, coverslip.slides.tiff_integrity
if os.geteuid() == 0:
    os.setuid(65534)
for function in (coverslip.slides.opening.open_slide, coverslip.slides.crc32c.crc32c_file):
    try:
        function(sys.argv[1])
    except coverslip.slides.errors.SlideInaccessible as error:
        print(error.code)
"""
    told = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=False)
    folder.chmod(0o755)
    assert told.stdout == "SLIDE.INACCESSIBLE\n" * 2, told.stderr


@pytest.mark.parametrize("name", ["CMU-1-Small-Region.svs", "CMU-1-Small-Region.pyramid.tif", "CMU-1-small.tiff"])
@pytest.mark.parametrize("part", [0.001, 0.3, 0.9, 0.999])
def test_truncated_file(slides: Path, tmp_path: Path, name: str, part: float) -> None:
    data = (slides / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(SlideTruncated, match="copy the"):
        open_slide(path)


def test_damaged_tile_names_its_place(pyramid: Path, tmp_path: Path) -> None:
    data = bytearray(pyramid.read_bytes())
    with tifffile.TiffFile(pyramid) as file:
        page = file.pages[0].aspage()
        offset, length = page.dataoffsets[11], page.databytecounts[11]
    data[offset : offset + length] = bytes(length)
    path = tmp_path / "damaged.tif"
    path.write_bytes(data)
    with open_slide(path) as slide, pytest.raises(SlideUnreadable, match="level 0, tile row 1, column 2"):
        slide.read_region(0, 0, 0, 1000, 1000)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), min_size=1, max_size=30))
def test_damaged_headers_raise_only_slide_errors(slides: Path, tmp_path: Path, damage: list[tuple[int, int]]) -> None:
    data = bytearray((slides / "CMU-1-small.tiff").read_bytes())
    for position, value in damage:
        data[position] = value
    path = tmp_path / "damaged.tiff"
    path.write_bytes(data)
    with contextlib.suppress(SlideError), open_slide(path) as slide:
        assert slide.read_region(0, 0, 0, 64, 64).shape == (64, 64, 3)


def test_thumbnail_has_the_slides_shape_and_colours(svs: Path) -> None:
    with open_slide(svs) as slide:
        thumbnail = slide.thumbnail(300)
        whole = slide.read_region(0, 0, 0, slide.info.width_px, slide.info.height_px)
    assert thumbnail.shape == (300, 224, 3)
    np.testing.assert_allclose(thumbnail.mean(axis=(0, 1)), whole.mean(axis=(0, 1)), atol=1.0)


def test_importing_slides_loads_no_decoder() -> None:
    code = "import sys, coverslip.slides; print(sorted({'openslide', 'tifffile', 'imagecodecs'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_opening_a_tiff_loads_no_dicom(svs: Path) -> None:
    code = "import sys; from coverslip.slides import open_slide; open_slide(sys.argv[1]).close()\n"
    code += "print(sorted({'pydicom', 'wsidicom'} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code, svs], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"
