"""Outlines of instances, finer than their pixels."""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from coverslip.pathology.cells import Outlines

FINENESS = 4
"""A pixel's side in steps of the finer grid on which outlines are drawn."""
FRAME_PX = 2
SMOOTHING_PX = 0.8
"""The steps of pixels would add a tenth to every perimeter."""
BORDER = 104
"""Of a smoothed mask of 0 and 255. Lines are drawn through the centres of the outermost pixels of the finer grid, so that
at the half value itself they would run half a step inside of the border."""
TOLERANCE = 0.25
"""In pixels: how far a simplified outline may leave the drawn one (D. H. Douglas, T. K. Peucker, Cartographica 10(2),
1973, 112-122)."""


def outlines_of(labels: NDArray[np.int32]) -> Outlines:
    """Outline every instance of a label image (h, w), numbered from 1 without gaps, in its own pixels.

    The upper left corner of the image is (0, 0), so the centre of its first pixel is (0.5, 0.5). An instance in several
    parts is outlined by its largest, and holes are left out: each outline is one simple ring.
    """
    rings, counts = [], [0]
    for number, place in enumerate(ndimage.find_objects(labels), start=1):
        rows, columns = place
        ring = _ring(labels[place] == number)
        rings.append(ring + (columns.start, rows.start))
        counts.append(len(ring))
    vertices = np.concatenate(rings).astype(np.float32) if rings else np.empty((0, 2), np.float32)
    return Outlines(vertices, np.cumsum(counts, dtype=np.int64))


def _ring(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The outline of a mask's largest part, relative to the mask's corner."""
    framed = cv2.copyMakeBorder(
        mask.astype(np.uint8) * 255, FRAME_PX, FRAME_PX, FRAME_PX, FRAME_PX, cv2.BORDER_CONSTANT, value=(0,)
    )
    smooth = cv2.GaussianBlur(framed, (5, 5), SMOOTHING_PX)
    finer = cv2.resize(smooth, None, fx=FINENESS, fy=FINENESS, interpolation=cv2.INTER_LINEAR)
    parts, _ = cv2.findContours(
        cv2.threshold(finer, min(BORDER, int(finer.max()) // 2), 1, cv2.THRESH_BINARY)[1],
        cv2.RETR_EXTERNAL,
        cv2.CHAIN_APPROX_NONE,
    )
    ring = parts[0] if len(parts) == 1 else max(parts, key=cv2.contourArea)
    simple = cv2.approxPolyDP(ring, TOLERANCE * FINENESS, closed=True)
    if len(simple) < 3:
        simple = cv2.boxPoints(cv2.minAreaRect(ring)).reshape(-1, 1, 2)
    return (simple[:, 0].astype(float) + 0.5) / FINENESS - FRAME_PX
