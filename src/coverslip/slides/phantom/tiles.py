"""Compress the tiles of a block at every level that a block makes by itself."""

import cv2
import imagecodecs
import numpy as np
from numpy.typing import NDArray

TILE_PX = 256
OWN_LEVELS = 3
"""A block of 1024 pixels is 4 x 4 tiles at level 0, 2 x 2 at level 1 and one at level 2."""
JPEG_QUALITY = 85

Pixels = NDArray[np.uint8]


def compress(tile: Pixels) -> bytes:
    """A tile as JPEG with chroma at half resolution, as scanners write it."""
    return bytes(
        imagecodecs.jpeg8_encode(tile, level=JPEG_QUALITY, colorspace="RGB", outcolorspace="YCBCR", subsampling=(2, 2))
    )


def halved(image: Pixels) -> Pixels:
    """Half as wide and high, each pixel the mean of four."""
    return np.asarray(
        cv2.resize(image, (image.shape[1] // 2, image.shape[0] // 2), interpolation=cv2.INTER_AREA), np.uint8
    )


def levels_of(block: Pixels) -> tuple[list[list[bytes]], Pixels]:
    """The compressed tiles of each own level in row-major order, and the pixels of the last."""
    levels = []
    for level in range(OWN_LEVELS):
        block = halved(block) if level else block
        levels.append([compress(tile) for row in np.split(block, block.shape[0] // TILE_PX) for tile in _cut(row)])
    return levels, block


def _cut(strip: Pixels) -> list[Pixels]:
    return [np.ascontiguousarray(tile) for tile in np.split(strip, strip.shape[1] // TILE_PX, axis=1)]


def strip_tiles(strip: Pixels) -> list[bytes]:
    """The compressed tiles of a row of tiles (`TILE_PX`, n * `TILE_PX`, 3)."""
    return [compress(tile) for tile in _cut(strip)]
