"""Write a map of class labels as a tiled, pyramidal, compressed TIFF that any viewer shows in the class colours."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

TILE_PX = 256

ClassColors = Mapping[str, tuple[int, int, int]]
"""Class name to RGB, 0 to 255, in the order of the labels 1, 2, …"""


def write_label_pyramid(
    path: Path,
    width_px: int,
    height_px: int,
    mpp: float,
    strips: Iterable[NDArray[np.uint8]],
    class_colors: ClassColors,
) -> None:
    """Write labels as a palette pyramid, each level half the one before, until one tile holds it all.

    Palette and not RGB, because a pixel then is its label and its colour at once, and OpenSlide opens both; deflate,
    because labels must stay exact. Lower levels take every second pixel, so that no class appears that is not there.
    The finest level is never in memory as a whole: the next one is spooled to a temporary file beside ``path``.

    Parameters
    ----------
    path
        The TIFF file to write.
    width_px, height_px, mpp
        Size of the map and its micrometres per pixel, which go into the resolution tags.
    strips
        Label rows from top to bottom, each uint8 (`TILE_PX`, width_px); the last may be lower. 0 is shown
        white.
    class_colors
        Class name to RGB, in the order of the labels.
    """
    colormap = np.zeros((3, 256), np.uint16)
    shown = [(255, 255, 255), *class_colors.values()]
    colormap[:, : len(shown)] = np.array(shown, np.uint16).T * 257  # 8 to 16 bits
    with (
        tempfile.TemporaryDirectory(dir=path.parent) as folder,
        tifffile.TiffWriter(path, bigtiff=width_px * height_px > 2**31) as writer,
    ):

        def write_level(strips: Iterable[NDArray[np.uint8]], shape: tuple[int, ...], step: int) -> None:
            writer.write(
                _tiles(strips),
                shape=shape,
                dtype=np.uint8,
                tile=(TILE_PX, TILE_PX),
                photometric="palette",
                colormap=colormap,
                compression="zlib",
                subfiletype=int(step > 1),
                resolution=(10_000 / (mpp * step), 10_000 / (mpp * step)),
                resolutionunit="CENTIMETER",
                metadata=None,
                software="coverslip",
            )

        half = np.memmap(Path(folder) / "half", np.uint8, "w+", shape=(-(-height_px // 2), -(-width_px // 2)))
        write_level(_spooled(strips, half), (height_px, width_px), 1)
        step = 1
        while max(height_px, width_px) > TILE_PX * step:
            level = half[::step, ::step]
            step *= 2
            write_level(strips_of(level), level.shape, step)
            del level
        del half  # Windows deletes no file that is still mapped


def strips_of(labels: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """Cut a label map (h, w) that is in memory into the strips that `write_label_pyramid` takes."""
    for top in range(0, labels.shape[0], TILE_PX):
        yield labels[top : top + TILE_PX]


def _spooled(strips: Iterable[NDArray[np.uint8]], half: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    for number, strip in enumerate(strips):
        reduced = strip[::2, ::2]
        top = number * TILE_PX // 2
        half[top : top + reduced.shape[0]] = reduced
        yield strip


def _tiles(strips: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    for strip in strips:
        for left in range(0, strip.shape[1], TILE_PX):
            labels = strip[:, left : left + TILE_PX]
            tile = np.zeros((TILE_PX, TILE_PX), np.uint8)
            tile[: labels.shape[0], : labels.shape[1]] = labels
            yield tile
