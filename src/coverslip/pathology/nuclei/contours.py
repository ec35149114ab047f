"""Outlines of instances, finer than their pixels."""

from collections.abc import Sequence

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage

from coverslip.pathology.cells import Outlines
from coverslip.pathology.nuclei.outline_polygons import polygons_of

FINENESS = 4
"""A pixel's side in steps of the finer grid on which outlines are drawn."""
FRAME_PX = 2
SMOOTHING_PX = 0.8
"""The steps of pixels would add a tenth to every perimeter."""
BORDER = 104
"""Of a smoothed mask of 0 and 255. Lines are drawn through the centres of the outermost pixels of the finer grid, so
that at the half value itself they would run half a step inside of the border."""
TOLERANCE = 0.25
"""In pixels: how far a simplified outline may leave the drawn one (D. H. Douglas, T. K. Peucker, Cartographica 10(2),
1973, 112-122)."""


def outlines_of(labels: NDArray[np.int32]) -> Outlines:
    """Outline every instance of a label image (h, w), numbered from 1 without gaps, in its own pixels.

    The upper left corner of the image is (0, 0), so the centre of its first pixel is (0.5, 0.5). An instance in several
    parts is outlined by its largest, and holes are left out: each outline is one simple ring.
    """
    rings = []
    for number, place in enumerate(ndimage.find_objects(labels), start=1):
        rows, columns = place
        rings.append(_ring(labels[place] == number) + np.array([columns.start, rows.start]))
    return _untangled(_together(rings))


def _untangled(outlines: Outlines) -> Outlines:
    """The outlines, and of those that touch or cross themselves the largest of the parts that they enclose."""
    polygons = polygons_of(outlines)
    tangled = np.flatnonzero(~shapely.is_valid(polygons))
    if not len(tangled):
        return outlines
    rings = np.split(outlines.vertices, outlines.offsets[1:-1])
    for number in tangled:
        parts = shapely.get_parts(shapely.buffer(polygons[number], 0))
        largest = max(parts, key=shapely.area, default=shapely.Polygon())
        if largest.is_empty:  # a line gets the width of the finer grid
            largest = shapely.LineString(rings[number]).buffer(0.5 / FINENESS, cap_style="square").convex_hull
        rings[number] = shapely.get_coordinates(largest.exterior)[:-1]
    return _together(rings)


def _together(rings: Sequence[NDArray[np.floating]]) -> Outlines:
    vertices = np.concatenate([np.empty((0, 2)), *rings]).astype(np.float32)
    return Outlines(vertices, np.cumsum([0, *map(len, rings)], dtype=np.int64))


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
    return np.asarray((simple[:, 0].astype(float) + 0.5) / FINENESS - FRAME_PX)
