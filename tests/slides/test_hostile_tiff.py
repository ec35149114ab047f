"""TIFF files that are damaged or made to do harm are refused with an error that says why, and cost no memory."""

import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from tiff_writer import LONG, LONG8, SHORT, SLONG, SUB_IFD, Tags, plain, tiff

from coverslip.slides import open_slide
from coverslip.slides.codestream import stated_size
from coverslip.slides.errors import NotASlide, SlideImplausible, SlideTruncated, SlideUnreadable

if TYPE_CHECKING:
    from abuse import AbusedChild

GOOD = plain(16, 768)


def sub_ifds(*places: int) -> dict[int, tuple[int, list[int]]]:
    return {**GOOD, 330: (SUB_IFD, list(places))}


def slide(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_the_writer_of_these_tests_writes_tiff(tmp_path: Path) -> None:
    data = bytes(range(256)) * 3
    for big in (False, True):
        with open_slide(slide(tmp_path / "good.tif", tiff(GOOD, data=data, big=big))) as opened:
            np.testing.assert_array_equal(opened.read_region(0, 0, 0, 16, 16).ravel(), list(data))
    with open_slide(slide(tmp_path / "nested.tif", tiff(sub_ifds(-2), GOOD, following=[-1, -1]))) as opened:
        assert len(opened.info.levels) == 2


@pytest.mark.parametrize(
    ("reason", "tags"),
    [
        ("lists 1 of 134,217,728 tiles|134,217,728 tiles", plain(16, 768, t256=(LONG, [2**31]))),
        ("pixels in a level", plain(16, 768, t256=(LONG, [2**32 - 1]), t257=(LONG, [2**32 - 1]))),
        ("pixels in a tile", plain(16, 768, t322=(LONG, [2**16]), t323=(LONG, [2**16]))),
        ("tile width is not one positive", plain(16, 768, t322=(LONG, [0]))),
        ("tile width is not one positive", plain(16, 768, t322=(SLONG, [-16]))),
        ("tile height is not one positive", plain(16, 768, t323=None)),
        ("tile width is not one positive", plain(16, 768, t322=(SHORT, [16, 16]))),
        ("width is not one positive", plain(16, 768, t256=(LONG, [0]))),
        ("height is not one positive", plain(16, 768, t257=(SLONG, [-5]))),
        ("lists 1 of 4 tiles", plain(16, 768, t256=(LONG, [32]), t257=(LONG, [32]))),
        ("lists 1 of 3 tiles", plain(16, 768, t284=(SHORT, [2]))),
        ("lists 0 of 1 tiles", plain(16, 768, t324=None)),
    ],
)
def test_sizes_that_cannot_be(tmp_path: Path, reason: str, tags: Tags) -> None:
    with pytest.raises((SlideImplausible, SlideUnreadable), match=reason):
        open_slide(slide(tmp_path / "size.tif", tiff(tags)))


@pytest.mark.parametrize(
    "data",
    [
        tiff(GOOD, following=[0]),
        tiff(GOOD, GOOD, following=[1, 0]),
        tiff(GOOD, GOOD, GOOD, following=[1, 2, 1]),
        tiff(sub_ifds(-1)),
        tiff(sub_ifds(-2), sub_ifds(-1), following=[-1, -1]),
    ],
)
def test_loops_of_directories(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(SlideUnreadable, match="form a loop"):
        open_slide(slide(tmp_path / "loop.tif", data))


def test_a_directory_listed_twice_is_no_loop(tmp_path: Path) -> None:
    with open_slide(slide(tmp_path / "twice.tif", tiff(sub_ifds(-2, -2), GOOD))) as opened:
        assert opened.info.width_px == 16


def test_numbers_without_bounds(tmp_path: Path) -> None:
    nested = [sub_ifds(-number) for number in range(2, 10)]
    with pytest.raises(SlideImplausible, match="deep in each other"):
        open_slide(slide(tmp_path / "deep.tif", tiff(*nested, GOOD, following=[-1] * 9)))
    with pytest.raises(SlideImplausible, match="4,097 images"):
        open_slide(slide(tmp_path / "many.tif", tiff(*[GOOD] * 5000)))
    with pytest.raises(SlideImplausible, match="5,011 tags"):
        open_slide(slide(tmp_path / "tags.tif", tiff({**GOOD, **{n: (SHORT, [0]) for n in range(40000, 45000)}})))


def test_tables_that_overlap(tmp_path: Path) -> None:
    """Some thousand directories that share one large table would have it read some thousand times."""
    data = bytearray(tiff(*[GOOD] * 20, data=bytes(1600)))
    with tifffile.TiffFile(slide(tmp_path / "apart.tif", data)) as file:
        entries = [page.aspage().tags[tag].offset for page in file.pages for tag in (324, 325)]
    for entry in entries:
        data[entry + 4 : entry + 12] = struct.pack("<II", 400, 16)  # 400 numbers, the table begins at byte 16
    with pytest.raises(SlideUnreadable, match="overlap each other"):
        open_slide(slide(tmp_path / "shared.tif", data))


@pytest.mark.parametrize(
    "data",
    [
        tiff(plain(10**6, 768)),
        tiff(plain(16, 10**6)),
        tiff(plain(16, 768, t324=(LONG8, [2**64 - 16]), t325=(LONG8, [32])), big=True),
        tiff(sub_ifds(10**6)),
        tiff(GOOD)[:16],
        b"II*\0\xff\xff\xff\xff" + bytes(100),
        tiff(plain(16, 768, t324=(LONG, [16] * 200)))[:-400],
    ],
)
def test_places_beyond_the_end(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(SlideTruncated, match="ends too early"):
        open_slide(slide(tmp_path / "beyond.tif", data))


@pytest.mark.parametrize("magic", [b"II\x2c\0", b"MM*\0", b"\0\0\0\0", b"II"])
def test_wrong_magic(tmp_path: Path, magic: bytes) -> None:
    data = magic + tiff(GOOD)[len(magic) :]
    with pytest.raises((NotASlide, SlideTruncated)):
        open_slide(slide(tmp_path / "magic.tif", data if len(magic) > 2 else magic))


@pytest.mark.parametrize("name", ["CMU-1-Small-Region.ome.tif", "CMU-1-small.tiff"])
def test_truncated_at_every_table(slides: Path, tmp_path: Path, name: str) -> None:
    data = (slides / name).read_bytes()
    with tifffile.TiffFile(slides / name) as file:
        pages = [page.aspage() for page in file.pages]
        pages += [nested.aspage() for page in pages for nested in page.pages or ()]
        cuts = {8, len(data) - 1}
        for page in pages:
            cuts |= {page.offset, page.offset + 1, page.offset + 7, *(tag.valueoffset for tag in page.tags)}
            cuts |= {page.dataoffsets[-1], page.dataoffsets[-1] + page.databytecounts[-1] - 1}
    for cut in sorted(cuts - {len(data)}):
        with pytest.raises(SlideTruncated):
            open_slide(slide(tmp_path / "cut.tif", data[:cut]))


def jpeg_tile(width_px: int, height_px: int) -> bytes:
    """A JPEG of 16 x 16 px whose header claims another size."""
    data = bytearray(imagecodecs.jpeg8_encode(np.zeros((16, 16, 3), np.uint8)))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = height_px.to_bytes(2, "big") + width_px.to_bytes(2, "big")
    return bytes(data)


def jpeg_slide(path: Path, tile: bytes, tables: bytes | None = None) -> Path:
    changed = {"t259": (SHORT, [7]), "t262": (SHORT, [6])}
    if tables is not None:
        changed["t347"] = (7, list(tables))
    return slide(path, tiff(plain(16, len(tile), **changed), data=tile))


def test_jpeg_tile_of_another_size(tmp_path: Path, abused: "AbusedChild") -> None:
    path = jpeg_slide(tmp_path / "jpeg.tif", jpeg_tile(16, 16))
    with open_slide(path) as opened:
        assert opened.read_region(0, 0, 0, 16, 16).max() < 5
    path = jpeg_slide(tmp_path / "claims.tif", jpeg_tile(65000, 65000))
    with open_slide(path) as opened, pytest.raises(SlideUnreadable, match="claims 65000 x 65000 px"):
        opened.read_region(0, 0, 0, 16, 16)
    outcome = abused.open(path)
    assert outcome.kind == "SlideUnreadable"
    assert outcome.grown_mib < 100


@pytest.mark.parametrize("tables", [b"\xff\xd8\xff\xdb\xff\xff", b"\xff\xd8", b"garbage!" * 9, jpeg_tile(65000, 65000)])
def test_corrupt_jpeg_tables(tmp_path: Path, abused: "AbusedChild", tables: bytes) -> None:
    outcome = abused.open(jpeg_slide(tmp_path / "tables.tif", jpeg_tile(16, 16), tables))
    assert outcome.kind in ("fine", "SlideUnreadable")
    assert outcome.grown_mib < 100


def test_deflate_bomb(tmp_path: Path, abused: "AbusedChild") -> None:
    packer = zlib.compressobj(9)
    first, again = (packer.compress(bytes(2**24)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    bomb = first + 63 * again  # 1 GiB in 1 MB
    outcome = abused.open(slide(tmp_path / "bomb.tif", tiff(plain(16, len(bomb), t259=(SHORT, [8])), data=bomb)))
    assert outcome.kind in ("fine", "SlideUnreadable")
    assert outcome.grown_mib < 100


def test_description_that_takes_long_to_match(tmp_path: Path, abused: "AbusedChild") -> None:
    for text in (b"<Pixels " + b"a" * 2**20 + b">\0", b"<" + b"a" * 2**20 + b"\0", b"<Pixels" * 2**17 + b"\0"):
        path = slide(tmp_path / "description.tif", tiff(plain(16, 768, t270=(2, list(text)))))
        assert abused.open(path).kind == "fine"


def test_thin_slide_has_a_thumbnail_of_what_there_is(tmp_path: Path) -> None:
    path = tmp_path / "thin.tif"
    tifffile.imwrite(path, np.full((16, 80_000, 3), 90, np.uint8), tile=(16, 8192), photometric="rgb")
    with open_slide(path) as opened:
        assert opened.thumbnail(8).tolist() == [[[90] * 3] * 8]


def test_thumbnail_of_a_large_level_is_read_in_blocks(pyramid: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coverslip.slides.resampling.BLOCK_PX", 200)
    with open_slide(pyramid) as opened:
        whole = opened.read_region(0, 0, 3, 277, 370)
        windows: list[tuple[int, ...]] = []
        read = opened.read_region

        def recorded(*window: int) -> np.ndarray:
            windows.append(window)
            return read(*window)

        monkeypatch.setattr(opened, "read_region", recorded)
        thumbnail = opened.thumbnail(1)
    assert max(max(window[3:]) for window in windows) <= 200
    np.testing.assert_allclose(thumbnail[0, 0], whole.mean(axis=(0, 1)), atol=1)


@given(st.integers(1, 60), st.integers(1, 60), st.sampled_from(["jpeg", "jpeg2000", "jpegls"]))
@settings(max_examples=30)
def test_stated_size_is_that_of_the_image(width_px: int, height_px: int, kind: str) -> None:
    pixels = np.zeros((height_px, width_px, 3), np.uint8)
    data = {
        "jpeg": lambda: imagecodecs.jpeg8_encode(pixels),
        "jpeg2000": lambda: imagecodecs.jpeg2k_encode(pixels, codecformat="J2K"),
        "jpegls": lambda: imagecodecs.jpegls_encode(pixels),
    }[kind]()
    assert stated_size(bytes(data)) == (width_px, height_px, 3)


@given(st.binary(max_size=200))
def test_stated_size_of_anything(data: bytes) -> None:
    for start in (b"", b"\xff\xd8", b"\xff\xd8\xff\xc0", b"\xff\x4f\xff\x51"):
        size = stated_size(start + data)
        assert size is None or size.components >= 0
