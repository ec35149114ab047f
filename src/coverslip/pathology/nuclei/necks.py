"""Split the mask of touching nuclei where it narrows."""

import cv2
import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.nuclei.watershed import split_at_valleys

SMOOTHING = 0.1
"""Standard deviation of the Gaussian that smooths the distance to the border, in radii of a usual nucleus."""
LEAST_RISE = 0.05
"""By how much a nucleus must be wider than its neck to the next, in such radii."""


def split_at_necks(mask: NDArray[np.bool_], radius_px: float) -> NDArray[np.int32]:
    """Label the parts of a mask (h, w): int32 (h, w) from 1, 0 outside; ``radius_px`` is that of a usual nucleus."""
    distance = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    height = np.asarray(cv2.GaussianBlur(distance, (0, 0), SMOOTHING * radius_px), np.float32)
    return split_at_valleys(height, mask, LEAST_RISE * radius_px)
