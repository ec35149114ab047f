"""Slides with bytes changed at random: an error of ours or success, in bounded time and memory.

They are used in a child process, see `abuse`. A fault in native code of OpenSlide or of a decoder, which would be none
of ours, is warned of with the place that it came from; none is known.
"""

import io
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from dicom_writer import encode, instance, new_series, tiles_of, write, write_series
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from coverslip.slides import errors
from coverslip.slides.errors import SlideError

if TYPE_CHECKING:
    from abuse import AbusedChild

Pixels = NDArray[np.uint8]
Span = tuple[int, int]

MOST_GROWN_MIB = 250
"""Far more than these slides need, far less than what a header may claim."""
SLIDE_ERRORS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, SlideError)}
TELLING = [
    b"\0",
    b"\1",
    b"\2",
    b"\x08",
    b"\x7f",
    b"\xff",
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\0\0\0\x80",
]
"""Values at which numbers turn: zero, one, and the ends of what is signed and unsigned."""


def tiff(pixels: Pixels, **options: object) -> bytes:
    """A tiled pyramid of two levels."""
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        for step in (1, 2):
            level = pixels[::step, ::step]
            writer.write(level, tile=(128, 128), subfiletype=step - 1, resolution=(20_000, 20_000), **options)
    return file.getvalue()


def ome_tiff(pixels: Pixels) -> bytes:
    file = io.BytesIO()
    with tifffile.TiffWriter(file, ome=True, bigtiff=True) as writer:
        writer.write(pixels, tile=(128, 128), photometric="rgb", compression="jpeg", subifds=1)
        writer.write(pixels[::2, ::2], tile=(128, 128), photometric="rgb", compression="jpeg", subfiletype=1)
    return file.getvalue()


def dicom(pixels: Pixels, folder: Path, compression: str) -> bytes:
    return write(folder / "seed", instance(pixels, 0.5, new_series(), compression=compression)).read_bytes()


def sparse_dicom(pixels: Pixels, folder: Path) -> bytes:
    frames = [encode(tile, "jpeg") for tile in tiles_of(pixels)[::3]]
    file = instance(pixels, 0.5, new_series(), frames=frames, positions=[(0, 0), (1, 1)])
    return write(folder / "seed", file).read_bytes()


def zipped_dicom(pixels: Pixels, folder: Path) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in write_series(folder / "series", [pixels, np.ascontiguousarray(pixels[::2, ::2])], 0.5):
            archive.write(path, path.name)
    return file.getvalue()


SEEDS: dict[str, Callable[[Pixels, Path], bytes]] = {
    "plain.tif": lambda pixels, _: tiff(pixels, photometric="rgb"),
    "jpeg.tif": lambda pixels, _: tiff(pixels, photometric="rgb", compression="jpeg"),
    "lzw.tif": lambda pixels, _: tiff(pixels, photometric="rgb", compression="lzw"),
    "deflate.tif": lambda pixels, _: tiff(pixels, photometric="rgb", compression="zlib", predictor=2),
    "grey.tif": lambda pixels, _: tiff(np.ascontiguousarray(pixels[..., 0])),
    "ome.tif": lambda pixels, _: ome_tiff(pixels),
    "jpeg.dcm": lambda pixels, folder: dicom(pixels, folder, "jpeg"),
    "jpeg2000.dcm": lambda pixels, folder: dicom(pixels, folder, "jpeg2000"),
    "native.dcm": lambda pixels, folder: dicom(pixels, folder, "none"),
    "sparse.dcm": sparse_dicom,
    "series.zip": zipped_dicom,
}
SHARED = ["CMU-1-Small-Region.svs", "CMU-1-small.tiff", "TCGA-CR-7395-01A-01-TS1.crop.svs"]


def tables_of(data: bytes) -> list[Span]:
    """Where the numbers lie that a reader believes: headers, tables and the beginning of a tile."""
    if data[128:132] == b"DICM":
        return [(128, data.rindex(b"\xe0\x7f\x10\x00") + 2000)]
    if data.startswith(b"PK"):
        return [(0, 60), (data.index(b"PK\x01\x02"), len(data))]
    spans = [(0, 16)]
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        pages = [page.aspage() for page in file.pages]
        pages += [nested.aspage() for page in pages for nested in page.pages or ()]
        for page in pages:
            spans.append((page.offset, page.offset + 16 + 20 * len(page.tags)))
            spans += [(tag.valueoffset, tag.valueoffset + min(tag.valuebytecount, 300)) for tag in page.tags]
            spans.append((page.dataoffsets[0], page.dataoffsets[0] + 700))
    return [(start, min(end, len(data))) for start, end in spans if start < min(end, len(data))]


@st.composite
def damages(draw: st.DrawFn, data: bytes, spans: list[Span]) -> bytes:
    """The data with some bytes changed, most of them in tables, now and then cut off."""
    damaged = bytearray(data)
    place = st.sampled_from([*spans, *spans, (0, len(data))]).flatmap(lambda span: st.integers(span[0], span[1] - 1))
    value = st.sampled_from(TELLING) | st.binary(min_size=1, max_size=4)
    for at, new in draw(st.lists(st.tuples(place, value), min_size=1, max_size=6)):
        damaged[at : at + len(new)] = new
    return bytes(damaged[: draw(st.sampled_from([len(data)] * 7) | st.integers(0, len(data)))])


def abuse(abused: "AbusedChild", path: Path, data: bytes) -> None:
    path.write_bytes(data)
    outcome = abused.open(path)
    if outcome.kind.startswith("crash"):
        warnings.warn(f"{path.name}: {outcome.kind}", stacklevel=2)
        return
    assert outcome.kind in SLIDE_ERRORS | {"fine"}
    assert outcome.grown_mib < MOST_GROWN_MIB


@pytest.mark.parametrize("name", SEEDS)
def test_small_slides(name: str, levels: list[Pixels], tmp_path: Path, abused: "AbusedChild") -> None:
    seed = SEEDS[name](np.ascontiguousarray(levels[0][900:1280, 900:1400]), tmp_path)
    (tmp_path / "abused").mkdir()
    path = tmp_path / "abused" / name
    path.write_bytes(seed)
    assert abused.open(path).kind == "fine"

    @settings(max_examples=50)
    @given(damages(seed, tables_of(seed)))
    def check(data: bytes) -> None:
        abuse(abused, path, data)

    check()


@pytest.mark.parametrize("name", SHARED)
def test_real_slides(name: str, slides: Path, tmp_path: Path, abused: "AbusedChild") -> None:
    seed = (slides / name).read_bytes()
    assert abused.open(slides / name).kind == "fine"

    @settings(max_examples=25)
    @given(damages(seed, tables_of(seed)))
    def check(data: bytes) -> None:
        abuse(abused, tmp_path / name, data)

    check()


def test_anything_at_all(tmp_path: Path, abused: "AbusedChild") -> None:
    starts = [b"", b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0", b"PK\x03\x04", bytes(128) + b"DICM"]

    @settings(max_examples=60)
    @given(st.sampled_from(starts), st.binary(max_size=500))
    def check(start: bytes, rest: bytes) -> None:
        abuse(abused, tmp_path / "anything.svs", start + rest)

    check()
