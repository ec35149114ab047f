"""Nuclei as instances from the maps of a network: foreground, and how deep inside its nucleus a pixel lies."""

import cv2
import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.nuclei.objects import without_small
from coverslip.pathology.nuclei.scale import LEAST_AREA_UM2
from coverslip.pathology.nuclei.watershed import split_at_valleys
from coverslip.pathology.regions import without_small_holes

LEAST_RISE = 0.12
"""Of the distance between two nuclei that touch; each rises to about 1."""
SMOOTHING_UM = 0.4


def instances_of(
    foreground: NDArray[np.float32], distance: NDArray[np.float32], mpp: float, least_probability: float
) -> NDArray[np.int32]:
    """Label the nuclei, int32 (h, w), 0 background, from 1 without gaps.

    Parameters
    ----------
    foreground
        Probability that a pixel belongs to a nucleus, float32 (h, w), 0 to 1.
    distance
        Distance to the border of the pixel's nucleus, as a share of the largest within it, float32 (h, w), 0 to 1.
    mpp
        Micrometres per pixel of the maps.
    least_probability
        Of foreground, from which a pixel belongs to a nucleus.
    """
    least_area_px = LEAST_AREA_UM2 / mpp**2
    mask = without_small_holes(foreground > least_probability, least_area_px, 1.0)
    height = cv2.GaussianBlur(distance, (0, 0), SMOOTHING_UM / mpp)
    return without_small(split_at_valleys(height, mask, LEAST_RISE), least_area_px)
