"""Outlines that hug: labels drawn generously, drawn in to where the stain of the nucleus ends."""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from training.nuclei.staining import Density

CORE_SHARE = 0.5
"""The inner half of a nucleus, by depth, shows how dense it is."""
BESIDE_PX = 3
BORDER = 0.5
"""The border lies where the stain is half of that of the core above that beside the nucleus: there a sharp edge stays
when it is blurred."""
LEAST_LEFT = 0.4
"""Of the area; of what would lose more, the stain says nothing."""


def tightened(density: Density, labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Shrink the instances of a field, int32 (h, w), to where its optical density (h, w, 3) falls off."""
    total = cv2.GaussianBlur(density.mean(axis=2), (0, 0), 0.7)
    tight = labels.copy()
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is None:
            continue
        around = tuple(slice(max(0, part.start - BESIDE_PX), part.stop + BESIDE_PX) for part in box)
        here, own = total[around], labels[around] == number
        kept = _kept(here, own, labels[around] > 0)
        tight[around][own & ~kept] = 0
    return tight


def _kept(total: NDArray[np.float32], own: NDArray[np.bool_], any_nucleus: NDArray[np.bool_]) -> NDArray[np.bool_]:
    depth = cv2.distanceTransform(np.pad(own, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    core = depth >= CORE_SHARE * depth.max()
    grown = cv2.dilate(own.astype(np.uint8), np.ones((2 * BESIDE_PX + 1,) * 2, np.uint8)) > 0
    beside = grown & ~any_nucleus
    if not beside.any():
        return own
    low, high = np.median(total[beside]), np.median(total[core])
    dense = own & (total > low + BORDER * (high - low))
    parts, count = ndimage.label(dense | core)
    if high <= low or count == 0:
        return own
    largest = parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
    filled = np.asarray(ndimage.binary_fill_holes(largest), bool) & own
    return filled if filled.sum() >= LEAST_LEFT * own.sum() else own
