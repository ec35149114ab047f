"""Nuclei as instances from a StarDist-type network: for each pixel a probability and the way to its nucleus' border.

Source: U. Schmidt, M. Weigert, C. Broaddus, G. Myers, Cell Detection with Star-Convex Polygons, MICCAI 2018. Here a
star is compared with all better ones together, pixel by pixel, and not polygon by polygon.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.nuclei.objects import without_small
from coverslip.pathology.nuclei.scale import LEAST_AREA_UM2


def instances_of_stars(
    probability: NDArray[np.float32],
    distances_px: NDArray[np.float32],
    grid_px: int,
    shape: tuple[int, int],
    mpp: float,
    least_probability: float,
    most_overlap: float,
) -> NDArray[np.int32]:
    """Label the nuclei, int32 of ``shape``, 0 background, from 1 without gaps; no star covers a better one.

    Parameters
    ----------
    probability
        That the pixel is central in a nucleus, float32 (gh, gw), 0 to 1.
    distances_px
        To the border in n equally spaced directions, at least 3, from that of x towards that of y, in pixels of the
        image: float32 (gh, gw, n).
    grid_px
        Pixels of the image, along each axis, for which the maps have one value: that of the first of them.
    shape
        Rows and columns of the image.
    mpp
        Micrometres per pixel of the image.
    least_probability
        From which a pixel stands for a nucleus.
    most_overlap
        Share of its area that better stars may cover before it counts as a double.
    """
    rays = distances_px.shape[2]
    rows, columns = np.nonzero(probability >= least_probability)
    best_first = np.argsort(-probability[rows, columns], kind="stable")
    rows, columns = rows[best_first], columns[best_first]
    angles = 2 * np.pi * np.arange(rays) / rays
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    centres = np.stack([columns, rows], axis=1) * grid_px
    labels = np.zeros(shape, np.int32)
    ways = np.clip(distances_px[rows, columns], 0, sum(shape))[..., np.newaxis] * directions
    stars = centres[:, np.newaxis] + ways
    number = 0
    for (x, y), star in zip(centres.tolist(), stars, strict=True):
        # A centre within a better star is one of the many that its nucleus has.
        if labels[y, x] == 0 and _paint(labels, star, number + 1, most_overlap):
            number += 1
    return without_small(labels, LEAST_AREA_UM2 / mpp**2)


def _paint(labels: NDArray[np.int32], polygon: NDArray[np.float64], number: int, most_overlap: float) -> bool:
    """Paint a star behind those that are there, unless they cover too much of it; whether it was painted."""
    corners = np.rint(polygon).astype(np.int64)
    left, top = np.maximum(corners.min(axis=0), 0)
    right, bottom = np.minimum(corners.max(axis=0) + 1, labels.shape[::-1])
    star = np.zeros((bottom - top, right - left), np.uint8)
    cv2.fillPoly(star, [(corners - (left, top)).astype(np.int32)], (1,))
    here = labels[top:bottom, left:right]
    free = (star > 0) & (here == 0)
    if star.sum() - free.sum() > most_overlap * star.sum():
        return False
    here[free] = number
    return True
