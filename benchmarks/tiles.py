"""Reading tiles of a tiled JPEG pyramid, against OpenSlide on the same file and the same places."""

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import openslide
import tifffile

from benchmarks.figure import Figure
from coverslip.slides import Slide, open_slide

_SIDE_PX = 8192
_SECONDS = 3.0
_AIMS = {256: ">= 7x", 512: "", 1024: ">= 4.5x"}


def measure() -> Iterator[Figure]:
    """Tiles a second at 256, 512 and 1024 px; each reader runs twice, in turn, and its better time counts."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mosaic.tif"
        _write_mosaic(path)
        with open_slide(path) as ours:
            peer = openslide.OpenSlide(str(path))
            for side_px, aim in _AIMS.items():
                readers = {"ours": _our_reader(ours, side_px), "peer": _openslide_reader(peer, side_px)}
                rates = dict.fromkeys(readers, 0.0)
                for _ in range(2):
                    for name, read in readers.items():
                        rates[name] = max(rates[name], _rate(read, side_px))
                yield Figure(
                    f"tiles of {side_px} px read from a tiled JPEG pyramid",
                    f"{rates['ours']:.0f} /s, {rates['ours'] / rates['peer']:.1f}x",
                    aim,
                    f"OpenSlide {rates['peer']:.0f} /s",
                )


def _our_reader(slide: Slide, side_px: int) -> Callable[[int, int], object]:
    return lambda x, y: slide.read_region(x, y, 0, side_px, side_px)


def _openslide_reader(slide: openslide.OpenSlide, side_px: int) -> Callable[[int, int], object]:
    return lambda x, y: np.asarray(slide.read_region((x, y), 0, (side_px, side_px)))


def _rate(read: Callable[[int, int], object], side_px: int) -> float:
    places = random.Random(side_px)
    count = _SIDE_PX // side_px
    started, done = time.perf_counter(), 0
    while time.perf_counter() - started < _SECONDS:
        read(places.randrange(count) * side_px, places.randrange(count) * side_px)
        done += 1
    return done / (time.perf_counter() - started)


def _write_mosaic(path: Path) -> None:
    """A slide whose every tile is different: blocks of colour under noise, JPEG at quality 85, 4:2:0."""
    noise = np.random.default_rng(0)
    grid = noise.integers(120, 250, (_SIDE_PX // 32, _SIDE_PX // 32, 3), dtype=np.uint8)
    pixels = np.kron(grid, np.ones((32, 32, 1), dtype=np.uint8))
    pixels += noise.integers(0, 5, pixels.shape, dtype=np.uint8)
    tifffile.imwrite(
        path,
        pixels,
        tile=(256, 256),
        photometric="ycbcr",
        subsampling=(2, 2),
        compression="jpeg",
        compressionargs={"level": 85},
        resolution=(20_000, 20_000),
        resolutionunit="CENTIMETER",
    )
