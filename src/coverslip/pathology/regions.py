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
    return grown(~grown(~mask, radius_um, mpp), radius_um, mpp)


def closed(mask: Mask, radius_um: float, mpp: float) -> Mask:
    """The mask with gaps closed into which no disc of ``radius_um`` fits (morphological closing)."""
    return ~grown(~grown(mask, radius_um, mpp), radius_um, mpp)


def grown(mask: Mask, radius_um: float, mpp: float) -> Mask:
    """The mask and all within ``radius_um`` of it, at least one pixel (dilation)."""
    if not mask.any():
        return mask
    # By distance, which takes the same time for every radius.
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance <= max(1.0, radius_um / mpp), bool)


def touching(mask: Mask, seed: Mask) -> Mask:
    """The 8-connected regions of the mask that hold a pixel of ``seed`` (morphological reconstruction)."""
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    kept = np.zeros(count, bool)
    kept[labels[seed & mask]] = True
    return np.asarray(kept[labels], bool)


def elongated(mask: Mask, least_length_um: float, most_fill: float, mpp: float) -> Mask:
    """The 8-connected regions at least ``least_length_um`` long that fill at most ``most_fill`` of the square on their
    length; their length is the diagonal of their bounding box. Rings and bent lines count as long."""
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    length = np.hypot(statistics[:, cv2.CC_STAT_WIDTH], statistics[:, cv2.CC_STAT_HEIGHT])
    kept = (length * mpp >= least_length_um) & (statistics[:, cv2.CC_STAT_AREA] <= most_fill * length**2)
    kept[0] = False
    return np.asarray(kept[labels], bool)
