"""Find folds: bands of tissue about twice as dense as the tissue on both sides of them, but of the same colour."""

import cv2
import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.regions import Mask, closed, elongated, without_small, without_small_holes

WORK_UM = 12.0
"""Folds are tens of µm wide; they are sought at this resolution."""
SURROUNDINGS_UM = 130.0
RATIO_TO_SURROUNDINGS = 1.3
RATIO_TO_SLIDE = 1.5
"""A fold doubles the density; its surroundings hold part of it and other tissue, which lowers the ratios."""
MOST_PURPLER = 0.12
"""Share of red in the density: 0.2 to 0.3 in stroma, 0.6 in epithelium, which is denser too but no fold."""
AMID_UM = 80.0
LEAST_AMID = 0.85
"""A fold has tissue on both sides, the dense rim of a section and keratin do not."""
GAP_UM = 24.0
LEAST_LENGTH_UM = 250.0
MOST_FILL = 0.3
LEAST_AREA_UM2 = 6_000.0
LEAST_HOLE_UM2 = 300_000.0


def find_folds(density: NDArray[np.uint8], tissue: Mask, usual_density: float, mpp: float) -> Mask:
    """Where tissue is folded.

    Parameters
    ----------
    density
        Optical density in hundredths (rows, columns, 2) of the slide: mean of all colours, and of red.
    tissue
        Where there is tissue without other defects (rows, columns).
    usual_density
        Median density of the slide's tissue.
    mpp
        µm per grid cell.
    """
    step = max(1, round(WORK_UM / mpp))
    size = (max(1, density.shape[1] // step), max(1, density.shape[0] // step))
    inside, mean, red = (
        cv2.resize(plane, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 100
        for plane in (tissue * np.uint8(100), density[..., 0] * tissue, density[..., 1] * tissue)
    )

    def nearby(sigma: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Mean density, and the part of it that red has."""
        weight = np.maximum(cv2.GaussianBlur(inside, (0, 0), sigma), 0.05)
        smooth, smooth_red = (cv2.GaussianBlur(plane, (0, 0), sigma) / weight for plane in (mean, red))
        return smooth, smooth_red / np.maximum(smooth, 0.02)

    near, hue = nearby(1.0)
    around, usual_hue = nearby(SURROUNDINGS_UM / (mpp * step))
    dense = (near > RATIO_TO_SURROUNDINGS * around) & (near > RATIO_TO_SLIDE * usual_density) & (inside > 0.5)
    dense &= (hue < usual_hue + MOST_PURPLER) & (cv2.GaussianBlur(inside, (0, 0), AMID_UM / (mpp * step)) > LEAST_AMID)
    dense = without_small(closed(dense, GAP_UM, mpp * step), LEAST_AREA_UM2, mpp * step)
    # Only the border of a broad dense area is denser than its surroundings; filled, it is no band.
    dense = without_small_holes(dense, LEAST_HOLE_UM2, mpp * step)
    found = elongated(dense, LEAST_LENGTH_UM, MOST_FILL, mpp * step).astype(np.uint8)
    full = cv2.resize(found, (density.shape[1], density.shape[0]), interpolation=cv2.INTER_NEAREST)
    return np.asarray(full > 0, bool) & tissue
