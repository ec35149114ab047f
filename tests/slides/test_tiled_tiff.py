"""The fast path gives OpenSlide's pixels, and only for files it knows."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from coverslip.slides.openslide_formats import open_by_openslide
from coverslip.slides.tiled_tiff import TiledTiffSlide, open_tiled_tiff

SLIDES = Path(__file__).parents[3] / "shared" / "slides"
PLAIN = [
    "CMU-1-Small-Region.svs",
    "CMU-1-Small-Region.pyramid.tif",
    "CMU-1-Small-Region.ome.tif",
    "CMU-1-small.tiff",
    "TCGA-CR-7395-01A-01-TS1.crop.svs",
]


@pytest.mark.parametrize("name", PLAIN)
def test_metadata_and_whole_levels_equal_openslide(name: str) -> None:
    fast = open_tiled_tiff(SLIDES / name)
    assert isinstance(fast, TiledTiffSlide)
    with fast, open_by_openslide(SLIDES / name) as reference:
        assert fast.info.objective_power == reference.info.objective_power
        assert fast.info.vendor == reference.info.vendor
        assert fast.info.associated_images == reference.info.associated_images
        assert fast.info.mpp == pytest.approx(reference.info.mpp)
        for number, level in enumerate(reference.info.levels):
            assert fast.info.levels[number] == level
            window = (0, 0, number, level.width_px, level.height_px)
            np.testing.assert_array_equal(fast.read_region(*window), reference.read_region(*window))


@pytest.mark.parametrize("name", PLAIN)
@settings(max_examples=25, deadline=None)
@given(st.integers(-600, 5000), st.integers(-600, 5000), st.integers(1, 600), st.integers(1, 600))
def test_any_window_equals_openslide(name: str, x_px: int, y_px: int, width_px: int, height_px: int) -> None:
    fast = open_tiled_tiff(SLIDES / name)
    assert fast is not None
    with fast, open_by_openslide(SLIDES / name) as reference:
        window = (x_px, y_px, 0, width_px, height_px)
        np.testing.assert_array_equal(fast.read_region(*window), reference.read_region(*window))


def test_ome_subifds_are_levels() -> None:
    slide = open_tiled_tiff(SLIDES / "CMU-1-Small-Region.ome.tif")
    assert slide is not None
    with slide:
        assert [level.width_px for level in slide.info.levels] == [2220, 1110, 555, 277]


@pytest.mark.parametrize("compression", [None, "lzw", "deflate", "jpeg"])
def test_compressions_equal_openslide(compression: str | None, tmp_path: Path) -> None:
    pixels = np.random.default_rng(7).integers(0, 256, (301, 407, 3), np.uint8)
    path = tmp_path / "plain.tif"
    tifffile.imwrite(path, pixels, tile=(64, 96), photometric="rgb", compression=compression)
    fast = open_tiled_tiff(path)
    assert fast is not None
    with fast, open_by_openslide(path) as reference:
        window = (-5, 17, 0, 450, 300)
        np.testing.assert_array_equal(fast.read_region(*window), reference.read_region(*window))


def test_big_endian_tiff_that_openslide_does_not_know(tmp_path: Path) -> None:
    pixels = np.random.default_rng(7).integers(0, 256, (301, 407, 3), np.uint8)
    path = tmp_path / "big-endian.tif"
    tifffile.imwrite(path, pixels, tile=(64, 96), photometric="rgb", compression="zlib", predictor=2, byteorder=">")
    fast = open_tiled_tiff(path)
    assert fast is not None
    with fast:
        np.testing.assert_array_equal(fast.read_region(0, 0, 0, 407, 301), pixels)


def test_other_tiff_is_left_to_openslide(tmp_path: Path) -> None:
    path = tmp_path / "grey.tif"
    tifffile.imwrite(path, np.zeros((300, 300), np.uint8), tile=(64, 64))
    assert open_tiled_tiff(path) is None


def test_reading_in_threads_gives_the_same_pixels(pyramid: Path) -> None:
    slide = open_tiled_tiff(pyramid)
    assert slide is not None
    windows = [(x, y, 0, 256, 256) for x in range(0, 2200, 150) for y in range(0, 2900, 300)]
    with slide, ThreadPoolExecutor(8) as pool:
        parallel = list(pool.map(lambda window: slide.read_region(*window), windows))
        for window, region in zip(windows, parallel, strict=True):
            np.testing.assert_array_equal(region, slide.read_region(*window))


def test_windows_that_make_no_sense_are_refused(pyramid: Path) -> None:
    slide = open_tiled_tiff(pyramid)
    assert slide is not None
    with slide:
        with pytest.raises(ValueError, match="levels 0 to 3"):
            slide.read_region(0, 0, 4, 10, 10)
        with pytest.raises(ValueError, match="empty window"):
            slide.read_region(0, 0, 0, 0, 10)
