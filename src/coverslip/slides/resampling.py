"""Read a slide at any resolution: the nearest finer level, averaged over area."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from coverslip.slides.slide import Slide, SlideInfo

BLOCK_PX = 2048
"""Source pixels read at once on each axis; bounds the memory whatever the slide's size (12 MB as RGB)."""


def level_for(info: SlideInfo, downsample: float) -> int:
    """The coarsest level that is not coarser than ``downsample`` level-0 pixels per pixel."""
    # Levels are seldom exact powers of two (odd sizes are cut), hence one per cent of tolerance.
    fitting = [i for i, level in enumerate(info.levels) if level.downsample <= downsample * 1.01]
    return max(fitting, key=lambda i: info.levels[i].downsample, default=0)


def read_downsampled(
    slide: Slide, x_px: int, y_px: int, width_px: int, height_px: int, downsample: float
) -> NDArray[np.uint8]:
    """Read a window at ``downsample`` level-0 pixels per pixel, each pixel the mean of the area it covers.

    Parameters
    ----------
    x_px, y_px, width_px, height_px
        The window in level-0 pixels; white outside the slide.
    downsample
        At least 1.

    Returns
    -------
    uint8 array (round(height_px / downsample), round(width_px / downsample), 3), at least 1 x 1.

    Raises
    ------
    SlideUnreadable
        Where the file is damaged.
    """
    out_width = max(1, round(width_px / downsample))
    out_height = max(1, round(height_px / downsample))
    level = level_for(slide.info, downsample)
    level_downsample = slide.info.levels[level].downsample
    scale = downsample / level_downsample
    step = max(1, int(BLOCK_PX / scale))
    level_width, level_height = round(width_px / level_downsample), round(height_px / level_downsample)
    result = np.empty((out_height, out_width, 3), np.uint8)
    for top, bottom in _spans(out_height, step):
        for left, right in _spans(out_width, step):
            # A pixel of a window that is lower than it covers what there is, not the white beyond.
            source_width = max(1, min(round((right - left) * scale), level_width - round(left * scale)))
            source_height = max(1, min(round((bottom - top) * scale), level_height - round(top * scale)))
            corner = x_px + round(left * downsample), y_px + round(top * downsample)
            if source_width > BLOCK_PX or source_height > BLOCK_PX:  # then it is for one pixel
                source = _mean(slide, *corner, level, source_width, source_height)
            else:
                source = slide.read_region(*corner, level, source_width, source_height)
            if source.shape[:2] != (bottom - top, right - left):
                image = Image.fromarray(source)
                source = np.asarray(image.resize((right - left, bottom - top), Image.Resampling.BOX))
            result[top:bottom, left:right] = source
    return result


def _mean(slide: Slide, x_px: int, y_px: int, level: int, width_px: int, height_px: int) -> NDArray[np.uint8]:
    """The mean of a window of a level, read in blocks: uint8 (1, 1, 3)."""
    downsample = slide.info.levels[level].downsample
    total = np.zeros(3, np.uint64)
    for top, bottom in _spans(height_px, BLOCK_PX):
        for left, right in _spans(width_px, BLOCK_PX):
            corner = x_px + round(left * downsample), y_px + round(top * downsample)
            total += slide.read_region(*corner, level, right - left, bottom - top).sum((0, 1), np.uint64)
    return np.round(total / (width_px * height_px)).astype(np.uint8).reshape(1, 1, 3)


def _spans(length: int, step: int) -> Iterator[tuple[int, int]]:
    for start in range(0, length, step):
        yield start, min(start + step, length)
