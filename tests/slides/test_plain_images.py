"""Plain images and label images, read and written."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from coverslip.slides.errors import ImageUnreadable, NotALabelImage, SlideMissing, TooManyLabels
from coverslip.slides.plain_images import read_labels, read_rgb, write_labels, write_mask


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "1", "CMYK"])
def test_any_colours_become_rgb(tmp_path: Path, mode: str) -> None:
    Image.new("RGB", (30, 20), "white").convert(mode).save(tmp_path / "image.tif")
    rgb = read_rgb(tmp_path / "image.tif")
    assert (rgb.dtype, rgb.shape) == (np.uint8, (20, 30, 3))
    assert rgb.min() == 255


def test_what_is_transparent_becomes_white(tmp_path: Path) -> None:
    Image.new("RGBA", (3, 2), (0, 0, 0, 0)).save(tmp_path / "image.png")
    assert (read_rgb(tmp_path / "image.png") == 255).all()


@pytest.mark.parametrize(("name", "highest"), [("l.png", 65_535), ("l.tif", 70_000), ("l.TIFF", 1)])
def test_labels_come_back(tmp_path: Path, name: str, highest: int) -> None:
    labels = np.array([[0, 1], [highest, 2]], np.int32)
    write_labels(tmp_path / name, labels)
    assert np.array_equal(read_labels(tmp_path / name), labels)


def test_other_programs_read_the_labels(tmp_path: Path) -> None:
    labels = np.array([[0, 300]], np.int32)
    write_labels(tmp_path / "l.png", labels)
    write_labels(tmp_path / "l.tif", labels)
    with Image.open(tmp_path / "l.png") as image:
        assert image.mode == "I;16"
    assert tifffile.imread(tmp_path / "l.tif").dtype == np.uint32


def test_a_png_has_room_for_so_many_nuclei(tmp_path: Path) -> None:
    with pytest.raises(TooManyLabels, match=r"65,536 nuclei do not fit .* ending in \.tif"):
        write_labels(tmp_path / "l.png", np.array([[65_536]], np.int32))
    assert not (tmp_path / "l.png").exists()


def test_masks_have_eight_bits(tmp_path: Path) -> None:
    write_mask(tmp_path / "m.png", np.array([[0, 5]], np.uint8))
    with Image.open(tmp_path / "m.png") as image:
        assert image.mode == "L"
        assert np.asarray(image).tolist() == [[0, 5]]


def test_colours_are_no_labels(tmp_path: Path) -> None:
    Image.new("RGB", (3, 2)).save(tmp_path / "colours.png")
    tifffile.imwrite(tmp_path / "floats.tif", np.zeros((4, 4), np.float32))
    for name in ("colours.png", "floats.tif"):
        with pytest.raises(NotALabelImage, match="one channel of whole numbers"):
            read_labels(tmp_path / name)


@pytest.mark.parametrize("name", ["x.png", "x.tif"])
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    for read in (read_rgb, read_labels):
        with pytest.raises(SlideMissing):
            read(tmp_path / name)
    (tmp_path / name).write_bytes(b"nothing of an image")
    with pytest.raises(ImageUnreadable):
        read_rgb(tmp_path / name)
    with pytest.raises(NotALabelImage):
        read_labels(tmp_path / name)


def test_a_cut_image_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(ImageUnreadable):
        read_rgb(path)
