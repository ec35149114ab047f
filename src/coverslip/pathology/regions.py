"""Tidy masks by the size of their connected regions."""

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def without_small(mask: Mask, min_area_um2: float, mpp: float) -> Mask:
    """The mask (h, w) without 8-connected regions smaller than ``min_area_um2``; ``mpp`` is µm per mask pixel."""
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    large = statistics[:, cv2.CC_STAT_AREA] * mpp**2 >= min_area_um2
    large[0] = False
    kept: Mask = large[labels] if count > 1 else mask
    return kept


def without_small_holes(mask: Mask, min_area_um2: float, mpp: float) -> Mask:
    """The mask (h, w) with holes smaller than ``min_area_um2`` filled; open bays at its border count as holes."""
    return ~without_small(~mask, min_area_um2, mpp)


def opened(mask: Mask, radius_um: float, mpp: float) -> Mask:
    """The part of the mask into which a disc of ``radius_um`` fits (morphological opening)."""
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, disc(radius_um, mpp)), bool)


def closed(mask: Mask, radius_um: float, mpp: float) -> Mask:
    """The mask with gaps closed into which no disc of ``radius_um`` fits (morphological closing)."""
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, disc(radius_um, mpp)), bool)


def grown(mask: Mask, radius_um: float, mpp: float) -> Mask:
    """The mask and all within ``radius_um`` of it (dilation)."""
    return np.asarray(cv2.dilate(mask.astype(np.uint8), disc(radius_um, mpp)), bool)


def disc(radius_um: float, mpp: float) -> NDArray[np.uint8]:
    """A disc as a structuring element, at least 3 x 3 pixels."""
    radius_px = max(1, round(radius_um / mpp))
    element: NDArray[np.uint8] = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius_px + 1, 2 * radius_px + 1))
    return element
