"""Nuclei as instances from a plain map of the probability that a pixel belongs to one."""

import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.nuclei.necks import split_at_necks
from coverslip.pathology.nuclei.objects import without_small
from coverslip.pathology.nuclei.scale import LEAST_AREA_UM2, NUCLEUS_RADIUS_UM
from coverslip.pathology.regions import without_small_holes


def instances_of_probability(
    probability: NDArray[np.float32], mpp: float, least_probability: float
) -> NDArray[np.int32]:
    """Label the nuclei, int32 (h, w), 0 background, from 1 without gaps; those that touch are split at their necks.

    Parameters
    ----------
    probability
        float32 (h, w), 0 to 1.
    mpp
        Micrometres per pixel of the map.
    least_probability
        From which a pixel belongs to a nucleus.
    """
    mask = without_small_holes(probability >= least_probability, LEAST_AREA_UM2, mpp)
    return without_small(split_at_necks(mask, NUCLEUS_RADIUS_UM / mpp), LEAST_AREA_UM2 / mpp**2)
