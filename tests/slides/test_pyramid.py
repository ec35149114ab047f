from pathlib import Path

import numpy as np
import pytest
import tifffile

from coverslip.slides import open_slide
from coverslip.slides.pyramid import TILE_PX, strips_of, write_label_pyramid

COLORS = {"one": (200, 0, 10), "two": (0, 180, 20), "three": (5, 6, 230)}


@pytest.mark.parametrize("shape", [(1, 1), (256, 256), (257, 700), (1301, 777)])
def test_label_pyramid_reads_back(tmp_path: Path, shape: tuple[int, int]) -> None:
    labels = np.random.default_rng(1).integers(0, 4, shape).astype(np.uint8)
    path = tmp_path / "map.tiff"
    write_label_pyramid(path, shape[1], shape[0], 4.0, strips_of(labels), COLORS)

    np.testing.assert_array_equal(tifffile.imread(path, key=0), labels)
    palette = np.array([(255, 255, 255), *COLORS.values()], np.uint8)
    with open_slide(path) as slide:
        assert (slide.info.width_px, slide.info.height_px) == shape[::-1]
        assert slide.info.mpp == pytest.approx(4.0)
        assert max(slide.info.levels[-1].width_px, slide.info.levels[-1].height_px) <= TILE_PX
        np.testing.assert_array_equal(slide.read_region(0, 0, 0, shape[1], shape[0]), palette[labels])
        for number, level in enumerate(slide.info.levels):
            step = 2**number
            reduced = slide.read_region(0, 0, number, level.width_px, level.height_px)
            np.testing.assert_array_equal(reduced, palette[labels[::step, ::step]])
    assert [file.name for file in tmp_path.iterdir()] == ["map.tiff"]
