"""DICOM slides: whole series, single files and what is not a slide."""

import itertools
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import pytest
from dicom_writer import encode, instance, new_series, tiles_of, write, write_series
from numpy.typing import NDArray
from pydicom import dcmread

from coverslip.slides import inspect, open_slide
from coverslip.slides.dicom_instances import one_file_each
from coverslip.slides.errors import (
    NotASlide,
    NotAVolume,
    SlideError,
    SlideImplausible,
    SlideTruncated,
    SlideUnreadable,
)
from coverslip.slides.openslide_formats import open_by_openslide

if TYPE_CHECKING:
    from abuse import AbusedChild

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def series(levels: list[Pixels], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A pyramid of four levels from a real slide, the largest first, then thumbnail, label and overview."""
    return write_series(tmp_path_factory.mktemp("series"), levels, 0.499, "none")


@pytest.fixture
def small(levels: list[Pixels]) -> Pixels:
    return np.ascontiguousarray(levels[2][:500, :400])


def test_real_slide_has_its_colours(slides: Path) -> None:
    """OpenSlide gives YCbCr for RGB; so computed into RGB (T.871 section 7) its pixels are those of the slide."""
    path = slides / "TCGA-LUAD_86-6562_volume_8mpp.dcm"
    with open_slide(path) as slide, open_by_openslide(path) as wrong:
        assert slide.info.reader.startswith("wsidicom")
        assert slide.info.mpp == pytest.approx(8.0652, abs=1e-4)
        assert slide.info.objective_power == 40
        assert slide.info.media_type == "application/dicom"
        assert (slide.info.width_px, slide.info.height_px) == (2054, 1529)
        assert (slide.read_region(-10, -10, 0, 10, 10) == 255).all()
        ours = slide.read_region(500, 500, 0, 512, 512).astype(float)
        y, cb, cr = np.moveaxis(wrong.read_region(500, 500, 0, 512, 512).astype(float) - [0, 128, 128], 2, 0)
    right = np.stack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], axis=2)
    assert np.abs(right.clip(0, 255) - ours).max() < 2
    red, green, blue = ours.mean(axis=(0, 1))
    assert red > green < blue  # haematoxylin and eosin


def test_real_thumbnail_is_no_slide(slides: Path) -> None:
    with pytest.raises(NotAVolume, match=r"THUMBNAIL.*VOLUME instance"):
        open_slide(slides / "TCGA-LUAD_91-6830_thumbnail.dcm")


def test_any_volume_and_the_folder_open_the_whole_pyramid(series: list[Path], levels: list[Pixels]) -> None:
    for path in (series[0], series[2], series[0].parent):
        with open_slide(path) as slide:
            assert [(level.width_px, level.height_px) for level in slide.info.levels] == [
                pixels.shape[1::-1] for pixels in levels
            ]
            assert slide.info.mpp == pytest.approx(0.499)
            assert slide.info.mpp_sources == pytest.approx({"DICOM Pixel Spacing": 0.499, "DICOM Imaged Volume": 0.499})
            assert slide.info.associated_images == ("label", "overview", "thumbnail")
            for number, pixels in enumerate(levels):
                np.testing.assert_array_equal(slide.read_region(0, 0, number, *pixels.shape[1::-1]), pixels)


def test_a_file_alone_is_its_own_level(series: list[Path], levels: list[Pixels]) -> None:
    with open_slide(series[1], series=False) as slide:
        assert [(level.width_px, level.height_px) for level in slide.info.levels] == [levels[1].shape[1::-1]]
        assert slide.info.mpp == pytest.approx(0.998, rel=1e-3)


@pytest.mark.parametrize(("number", "flavour"), [(4, "THUMBNAIL"), (5, "LABEL"), (6, "OVERVIEW")])
def test_other_images_of_a_series_are_no_slide(series: list[Path], number: int, flavour: str) -> None:
    with pytest.raises(NotAVolume, match=flavour):
        open_slide(series[number])


def test_inspection_of_a_folder_is_that_of_its_largest_volume(series: list[Path]) -> None:
    seen = inspect(series[0].parent)
    assert (seen.name, seen.size_bytes) == (series[0].name, series[0].stat().st_size)
    assert seen.checksum_base64_crc32c == inspect(series[0]).checksum_base64_crc32c


def test_one_file_stands_for_each_slide(series: list[Path], small: Pixels, tmp_path: Path) -> None:
    lone = write(tmp_path / "lone.dcm", instance(small, 0.5, new_series(), flavour="LABEL"))
    other = write(tmp_path / "other.dcm", instance(small, 0.5, new_series()))
    old = [instance(small[:side, :side], 0.5, "2.25.77") for side in (300, 400)]
    for file in old:
        del file.PyramidUID
    olds = [write(tmp_path / f"old{number}.dcm", file) for number, file in enumerate(old)]
    broken = tmp_path / "broken.dcm"
    broken.write_bytes(lone.read_bytes()[:200])
    assert one_file_each([*series, lone, other, *olds, broken]) == sorted([series[0], lone, other, olds[1], broken])


@pytest.mark.parametrize("compression", ["jpeg", "jpeg2000", "none"])
def test_pixels_are_those_of_the_frames(small: Pixels, tmp_path: Path, compression: str) -> None:
    path = write(tmp_path / "slide.dcm", instance(small, 0.5, new_series(), compression=compression))
    expected = [
        imagecodecs.jpeg8_decode(encode(tile, compression)) if compression == "jpeg" else tile
        for tile in tiles_of(small)
    ]
    rows = [np.concatenate(expected[row : row + 2], axis=1) for row in (0, 2)]
    whole = np.concatenate(rows)[: small.shape[0], : small.shape[1]]
    with open_slide(path) as slide:
        np.testing.assert_array_equal(slide.read_region(0, 0, 0, 400, 500), whole)
        padded = slide.read_region(-20, -10, 0, 440, 530)
    assert (padded[:10] == 255).all()
    assert (padded[-20:] == 255).all()
    assert (padded[:, :20] == 255).all()
    np.testing.assert_array_equal(padded[10:510, 20:420], whole)


def test_tiles_that_a_sparse_slide_leaves_out_are_white(small: Pixels, tmp_path: Path) -> None:
    frames = [encode(tile, "none") for tile in tiles_of(small)]
    file = instance(
        small, 0.5, new_series(), compression="none", frames=[frames[3], frames[0]], positions=[(1, 1), (0, 0)]
    )
    with open_slide(write(tmp_path / "sparse.dcm", file)) as slide:
        region = slide.read_region(0, 0, 0, 400, 500)
    np.testing.assert_array_equal(region[:256, :256], small[:256, :256])
    np.testing.assert_array_equal(region[256:, 256:], small[256:, 256:])
    assert (region[:256, 256:] == 255).all()
    assert (region[256:, :256] == 255).all()


def test_sources_of_the_resolution_that_differ_are_told(small: Pixels, tmp_path: Path) -> None:
    path = write(tmp_path / "torn.dcm", instance(small, 0.5, new_series(), tags={"ImagedVolumeWidth": 0.1}))
    with open_slide(path) as slide:
        assert slide.info.mpp == 0.5
        assert "different resolutions" in slide.info.warnings[0]


def test_names_that_mean_something_elsewhere(series: list[Path], tmp_path: Path) -> None:
    for name in ("a[1].dcm", "*.dcm", "memory::file.dcm", "http:x.dcm", "{a}.dcm"):
        folder = tmp_path / name
        folder.mkdir()
        shutil.copy(series[0], folder / name)
        for path in (folder, folder / name):
            with open_slide(path) as slide:
                assert len(slide.info.levels) == 1


def test_a_copy_beside_the_file_is_no_second_level(series: list[Path], tmp_path: Path) -> None:
    for name in ("slide.dcm", "copy.dcm"):
        shutil.copy(series[3], tmp_path / name)
    for path in (tmp_path, tmp_path / "slide.dcm"):
        with open_slide(path) as slide:
            assert len(slide.info.levels) == 1
    for name in ("slide.dcm", "zcopy.dcm"):  # the file that is asked for counts, whatever came of its copy
        (tmp_path / name).write_bytes(series[3].read_bytes())
        with open_slide(tmp_path / name) as slide:
            assert slide.read_region(0, 0, 0, 277, 370).std() > 5
        (tmp_path / name).write_bytes(series[3].read_bytes()[:-100])


def test_folder_of_two_slides(small: Pixels, tmp_path: Path) -> None:
    paths = [write(tmp_path / name, instance(small, 0.5, new_series())) for name in ("a.dcm", "b.dcm")]
    with pytest.raises(NotASlide, match="2 DICOM slides"):
        open_slide(tmp_path)
    with open_slide(paths[0]) as slide:
        assert len(slide.info.levels) == 1


def test_damage_counts_where_it_belongs_to_the_slide(series: list[Path], small: Pixels, tmp_path: Path) -> None:
    shutil.copytree(series[0].parent, tmp_path / "series")
    stranger = write(tmp_path / "series" / "stranger.dcm", instance(small, 0.5, new_series()))
    stranger.write_bytes(stranger.read_bytes()[:-500])
    (tmp_path / "series" / "rubbish.dcm").write_bytes(bytes(128) + b"DICM" + b"\xff" * 50)
    with open_slide(tmp_path / "series" / series[1].name) as slide:
        assert len(slide.info.levels) == 4
    base = tmp_path / "series" / series[0].name
    base.write_bytes(base.read_bytes()[:-500])
    with pytest.raises(SlideTruncated, match=base.name):
        open_slide(tmp_path / "series" / series[1].name)


def test_other_dicom_objects(small: Pixels, tmp_path: Path) -> None:
    file = instance(small, 0.5, new_series(), tags={"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2"})
    with pytest.raises(NotASlide, match="CT Image"):
        open_slide(write(tmp_path / "ct.dcm", file))
    with pytest.raises(NotASlide, match="CT Image"):
        open_slide(tmp_path)


def test_part_of_an_image_in_several_files(small: Pixels, tmp_path: Path) -> None:
    frames = [encode(tile, "jpeg") for tile in tiles_of(small)]
    shared, concatenation = (
        new_series(),
        {"ConcatenationUID": "2.25.5", "SOPInstanceUIDOfConcatenationSource": "2.25.6"},
    )
    parts = []
    for number, part in enumerate((frames[:2], frames[2:])):
        place = {"InConcatenationNumber": number + 1, "ConcatenationFrameOffsetNumber": 2 * number}
        file = instance(small, 0.5, shared, frames=part, tags={**concatenation, **place})
        parts.append(write(tmp_path / f"{number}.dcm", file))
    with open_slide(parts[0]) as slide:
        assert slide.read_region(0, 0, 0, 400, 500).std() > 5
    for part in parts:
        with pytest.raises(NotASlide, match="one of several files"):
            open_slide(part, series=False)


@pytest.mark.parametrize("compression", ["jpeg", "none"])
def test_truncated_anywhere(small: Pixels, tmp_path: Path, compression: str) -> None:
    data = write(tmp_path / "whole.dcm", instance(small, 0.5, new_series(), compression=compression)).read_bytes()
    path = tmp_path / "cut" / "cut.dcm"
    path.parent.mkdir()
    for cut in [130, 133, *range(150, 2500, 97), len(data) // 2, len(data) - 9, len(data) - 4, len(data) - 1]:
        path.write_bytes(data[:cut])
        with pytest.raises(SlideError):
            open_slide(path)


@pytest.mark.parametrize(
    ("tags", "error", "reason"),
    [
        ({"TotalPixelMatrixColumns": 2**31, "TotalPixelMatrixRows": 2**31}, SlideImplausible, "pixels in a level"),
        ({"Rows": 65535, "Columns": 65535}, SlideImplausible, "pixels in a tile"),
        ({"Rows": 1, "Columns": 1, "TotalPixelMatrixColumns": 2**30}, SlideImplausible, "tiles"),
        ({"Rows": 0}, SlideUnreadable, "tile height is 0"),
        ({"TotalPixelMatrixColumns": 0}, SlideUnreadable, "width is 0"),
        ({"NumberOfFrames": 2**31 - 1}, SlideTruncated, "2,147,483,647 frames"),
        ({"TotalPixelMatrixFocalPlanes": 2**32 - 1}, SlideUnreadable, "focal planes"),
        ({"NumberOfFrames": -1}, SlideUnreadable, "-1 of 4 tiles"),
        ({"BitsAllocated": 16}, NotASlide, "8 bit"),
        ({"SamplesPerPixel": 200}, NotASlide, "8 bit"),
        ({"TotalPixelMatrixRows": 50_000}, SlideUnreadable, "4 of 392 tiles"),
    ],
)
def test_headers_that_cannot_be(
    small: Pixels, tmp_path: Path, abused: "AbusedChild", tags: dict[str, Any], error: type[SlideError], reason: str
) -> None:
    path = write(tmp_path / "header.dcm", instance(small, 0.5, new_series(), tags=tags))
    with pytest.raises(error, match=reason):
        open_slide(path)
    assert abused.open(path).grown_mib < 100


def test_deflated_data_set_is_refused_unread(small: Pixels, tmp_path: Path) -> None:
    file = dcmread(write(tmp_path / "plain.dcm", instance(small, 0.5, new_series(), compression="none")))
    file.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
    with pytest.raises(NotASlide, match="whole data set is compressed"):
        open_slide(write(tmp_path / "deflated.dcm", file))


def test_frame_that_claims_another_size(small: Pixels, tmp_path: Path, abused: "AbusedChild") -> None:
    frames = [encode(tile, "jpeg") for tile in tiles_of(small)]
    liar = bytearray(frames[1])
    at = liar.index(b"\xff\xc0") + 5
    liar[at : at + 4] = b"\xfd\xe8\xfd\xe8"
    path = write(
        tmp_path / "liar.dcm", instance(small, 0.5, new_series(), frames=[frames[0], bytes(liar), *frames[2:]])
    )
    with open_slide(path) as slide, pytest.raises(SlideUnreadable, match=r"row 0, column 1 .*claims 65000 x 65000 px"):
        slide.read_region(0, 0, 0, 400, 500)
    outcome = abused.open(path)
    assert (outcome.kind, outcome.grown_mib < 100) == ("SlideUnreadable", True)


@pytest.fixture
def restless_threads() -> Iterator[None]:
    """Threads take turns so often that whoever keeps a frame in a shared place is found out."""
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual_s)


@pytest.mark.usefixtures("restless_threads")
def test_reading_in_threads_gives_the_same_pixels(series: list[Path], levels: list[Pixels]) -> None:
    windows = [(x, y, 0, 200, 200) for x, y in itertools.product(range(0, 2000, 290), range(0, 2700, 290))]
    with open_slide(series[0]) as slide, ThreadPoolExecutor(8) as pool:
        regions = list(pool.map(lambda window: slide.read_region(*window), windows))
    for (x, y, *_), region in zip(windows, regions, strict=True):
        np.testing.assert_array_equal(region, levels[0][y : y + 200, x : x + 200])
