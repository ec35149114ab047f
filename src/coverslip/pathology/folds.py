"""Find folds: bands of tissue about twice as dense as the tissue on both sides of them."""

import cv2
import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.regions import Mask, closed, elongated, without_small

WORK_UM = 12.0
"""Folds are tens of µm wide; they are sought at this resolution."""
SURROUNDINGS_UM = 130.0
RATIO_TO_SURROUNDINGS = 1.3
RATIO_TO_SLIDE = 1.5
"""A fold doubles the density; its surroundings hold part of it and other tissue, which lowers the ratios."""
GAP_UM = 24.0
LEAST_LENGTH_UM = 250.0
MOST_FILL = 0.3
LEAST_AREA_UM2 = 6_000.0


def find_folds(density: NDArray[np.float32], tissue: Mask, usual_density: float, mpp: float) -> Mask:
    """Where tissue is folded.

    Parameters
    ----------
    density
        Mean optical density (rows, columns) of the slide.
    tissue
        Where there is tissue without other defects (rows, columns).
    usual_density
        Median density of the slide's tissue.
    mpp
        µm per grid cell.
    """
    step = max(1, round(WORK_UM / mpp))
    size = (max(1, density.shape[1] // step), max(1, density.shape[0] // step))
    inside = cv2.resize(tissue.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    within = cv2.resize(np.where(tissue, density, 0).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    sigma = SURROUNDINGS_UM / (mpp * step)
    around = cv2.GaussianBlur(within, (0, 0), sigma) / np.maximum(cv2.GaussianBlur(inside, (0, 0), sigma), 0.05)
    near = cv2.GaussianBlur(within, (0, 0), 1.0) / np.maximum(cv2.GaussianBlur(inside, (0, 0), 1.0), 0.05)
    dense = (near > RATIO_TO_SURROUNDINGS * around) & (near > RATIO_TO_SLIDE * usual_density) & (inside > 0.5)
    dense = without_small(closed(dense, GAP_UM, mpp * step), LEAST_AREA_UM2, mpp * step)
    found = elongated(dense, LEAST_LENGTH_UM, MOST_FILL, mpp * step).astype(np.uint8)
    full = cv2.resize(found, (density.shape[1], density.shape[0]), interpolation=cv2.INTER_NEAREST)
    return np.asarray(full > 0, bool) & tissue
