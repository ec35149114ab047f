"""Nuclei as instances from the maps of a HoVer-type network: probability, and each pixel's place within its nucleus.

The place runs from -1 at the left (top) end of a nucleus to 1 at its right (bottom) end. So it rises everywhere within
a nucleus, and falls only from one to the next; where it falls, nuclei are parted.

Source: S. Graham et al., HoVer-Net: Simultaneous Segmentation and Classification of Nuclei in Multi-Tissue Histology
Images, Medical Image Analysis 58, 2019, 101563. There the fall is found by Sobel filters.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.nuclei.objects import without_small
from coverslip.pathology.nuclei.scale import LEAST_AREA_UM2
from coverslip.pathology.nuclei.watershed import split_at_valleys
from coverslip.pathology.regions import without_small_holes

REACH_UM = 0.75
"""The fall is taken over twice this: networks blur it over a few pixels."""
SMOOTHING_UM = 0.4
LEAST_FALL = 0.3
"""Between two nuclei; at a sharp border it is 1 to 2."""


def instances_of_offsets(
    nuclei: NDArray[np.float32], offsets: NDArray[np.float32], mpp: float, least_probability: float
) -> NDArray[np.int32]:
    """Label the nuclei, int32 (h, w), 0 background, from 1 without gaps.

    Parameters
    ----------
    nuclei
        Probability that a pixel belongs to a nucleus, float32 (h, w), 0 to 1.
    offsets
        Place within the nucleus from left to right and from top to bottom, float32 (h, w, 2), -1 to 1.
    mpp
        Micrometres per pixel of the maps.
    least_probability
        From which a pixel belongs to a nucleus.
    """
    mask = without_small_holes(nuclei >= least_probability, LEAST_AREA_UM2, mpp)
    reach_px = max(1, round(REACH_UM / mpp))
    # Outside of nuclei networks may give anything.
    places = np.where(mask[..., np.newaxis], np.clip(offsets, -1, 1), 0).astype(np.float32)
    fall = np.maximum(_fall(places[..., 0], right_px=reach_px), _fall(places[..., 1], down_px=reach_px))
    height = np.asarray(-cv2.GaussianBlur(np.maximum(fall, 0), (0, 0), SMOOTHING_UM / mpp), np.float32)
    return without_small(split_at_valleys(height, mask, LEAST_FALL), LEAST_AREA_UM2 / mpp**2)


def _fall(place: NDArray[np.float32], down_px: int = 0, right_px: int = 0) -> NDArray[np.float32]:
    """By how much a plane is lower ahead than behind, over twice the given distance."""
    rows, columns = place.shape
    framed = np.pad(place, ((down_px, down_px), (right_px, right_px)), mode="edge")
    return framed[:rows, :columns] - framed[2 * down_px :, 2 * right_px :]
