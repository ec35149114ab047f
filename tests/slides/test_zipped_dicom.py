"""DICOM slides in ZIP archives, sound and hostile."""

import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from dicom_writer import instance, new_series, write, write_series
from numpy.typing import NDArray

from coverslip.slides import inspect, open_slide
from coverslip.slides.errors import ArchiveTooLarge, NotASlide, NotAVolume, SlideTruncated, SlideUnreadable

Pixels = NDArray[np.uint8]


@pytest.fixture(autouse=True)
def unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where archives are unpacked to."""
    folder = tmp_path / "unpacked"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture(scope="module")
def series(levels: list[Pixels], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_series(tmp_path_factory.mktemp("zipped"), levels[1:], 0.998, "jpeg2000")


def zipped(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def test_a_series_opens_and_leaves_nothing(
    series: list[Path], levels: list[Pixels], tmp_path: Path, unpacked: Path
) -> None:
    files = {f"DICOM/{path.name}": path.read_bytes() for path in series}
    path = zipped(tmp_path / "series.zip", {**files, "README.txt": b"hello", "DICOM/": b""})
    with open_slide(path) as slide:
        assert slide.info.media_type == "application/zip"
        assert [level.width_px for level in slide.info.levels] == [1110, 555, 277]
        assert slide.info.associated_images == ("label", "overview", "thumbnail")
        np.testing.assert_array_equal(slide.read_region(0, 0, 0, 1110, 1483), levels[1])
        assert list(unpacked.iterdir())
    assert not list(unpacked.iterdir())
    assert inspect(path).size_bytes == path.stat().st_size


def test_names_that_lead_elsewhere_are_not_followed(series: list[Path], tmp_path: Path, unpacked: Path) -> None:
    before = sorted(file for file in tmp_path.rglob("*") if unpacked not in file.parents)
    names = ["../../up.dcm", "/etc/root.dcm", "C:\\windows\\x.dcm", "a/../../b.dcm", "..\\c.dcm", "x" * 300]
    files = {name: path.read_bytes() for name, path in zip(names, series, strict=True)}
    path = zipped(tmp_path / "escape.zip", files)
    with open_slide(path) as slide:
        assert len(slide.info.levels) == 3
        assert all(file.parent.parent == unpacked for file in unpacked.rglob("*") if file.is_file())
    after = sorted(file for file in tmp_path.rglob("*") if unpacked not in file.parents)
    assert after == sorted([*before, path])


def test_links_are_not_made(series: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "links.zip"
    link = zipfile.ZipInfo("link.dcm")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, str(series[0]))
    with pytest.raises(NotASlide, match="holds no DICOM"):
        open_slide(path)


def test_archives_without_one_slide(series: list[Path], levels: list[Pixels], tmp_path: Path, unpacked: Path) -> None:
    with pytest.raises(NotASlide, match=r"notes\.zip.*holds no DICOM"):
        open_slide(zipped(tmp_path / "notes.zip", {"notes.txt": b"hello"}))
    with pytest.raises(NotASlide, match="holds no DICOM"):
        open_slide(zipped(tmp_path / "label.zip", {"label.dcm": series[-1].read_bytes()}))
    other = write(tmp_path / "other.dcm", instance(levels[3], 0.5, new_series()))
    two = {"a.dcm": series[0].read_bytes(), "b.dcm": other.read_bytes()}
    with pytest.raises(NotASlide, match="2 DICOM slides"):
        open_slide(zipped(tmp_path / "two.zip", two))
    with pytest.raises(SlideTruncated):
        open_slide(zipped(tmp_path / "cut.zip", {"a.dcm": series[0].read_bytes()[:-100]}))
    with pytest.raises(NotASlide, match="another method"):
        open_slide(zipped(tmp_path / "bz2.zip", {"a.dcm": series[2].read_bytes()}, zipfile.ZIP_BZIP2))
    assert not list(unpacked.iterdir())


def test_bombs_are_not_unpacked(tmp_path: Path, unpacked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ArchiveTooLarge, match="bytes for each of its own, more than the 100"):
        open_slide(zipped(tmp_path / "bomb.zip", {"bomb.dcm": bytes(128) + b"DICM" + bytes(2**26)}))
    with pytest.raises(ArchiveTooLarge, match="1,001 files, more than the 1,000"):
        open_slide(zipped(tmp_path / "many.zip", {f"{number}": b"" for number in range(1001)}))
    monkeypatch.setattr("coverslip.slides.zipped_dicom.MOST_UNPACKED_BYTES", 1000)
    with pytest.raises(ArchiveTooLarge, match="1,001 bytes, more than the 1,000"):
        open_slide(zipped(tmp_path / "large.zip", {"large.dcm": bytes(1001)}, zipfile.ZIP_STORED))
    assert not list(unpacked.iterdir())


def test_table_of_contents_of_any_length_is_not_read(tmp_path: Path) -> None:
    path = zipped(tmp_path / "long.zip", {f"{number:0200}": b"" for number in range(25_000)})
    assert path.stat().st_size > 10_000_000
    with pytest.raises(SlideUnreadable, match="a piece of"):
        open_slide(path)


def test_member_that_unpacks_to_more_than_it_claims(tmp_path: Path, unpacked: Path) -> None:
    data = bytearray(zipped(tmp_path / "liar.zip", {"a.dcm": bytes(128) + b"DICM" + bytes(2**24)}).read_bytes())
    for place in (data.index(b"PK\x03\x04") + 22, data.index(b"PK\x01\x02") + 24):
        data[place : place + 4] = (2000).to_bytes(4, "little")
    (tmp_path / "liar.zip").write_bytes(data)
    with pytest.raises(SlideUnreadable):
        open_slide(tmp_path / "liar.zip")
    assert not list(unpacked.iterdir())


def test_encrypted_archive(tmp_path: Path) -> None:
    data = bytearray(zipped(tmp_path / "secret.zip", {"a.dcm": bytes(500)}, zipfile.ZIP_STORED).read_bytes())
    for place in (data.index(b"PK\x03\x04") + 6, data.index(b"PK\x01\x02") + 8):
        data[place] |= 1
    (tmp_path / "secret.zip").write_bytes(data)
    with pytest.raises(NotASlide, match="encrypted"):
        open_slide(tmp_path / "secret.zip")


@pytest.mark.parametrize("part", [0.01, 0.5, 0.99])
def test_truncated_archive(series: list[Path], tmp_path: Path, part: float) -> None:
    data = zipped(tmp_path / "whole.zip", {"a.dcm": series[2].read_bytes()}).read_bytes()
    (tmp_path / "cut.zip").write_bytes(data[: int(len(data) * part)])
    with pytest.raises(SlideUnreadable, match="unpacking"):
        open_slide(tmp_path / "cut.zip")


def test_a_thumbnail_beside_the_archive_is_not_of_it(series: list[Path]) -> None:
    with pytest.raises(NotAVolume):
        open_slide(series[-1])
