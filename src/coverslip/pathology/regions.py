"""Tidy masks and label maps by the size of their connected regions."""

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Labels = NDArray[np.uint8]


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


def rich_in(mask: Mask, seeds: Mask, least_share: float) -> Mask:
    """The 8-connected regions of the mask of which ``seeds`` fill more than ``least_share``, 0 to 1."""
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    kept = np.bincount(labels[seeds & mask], minlength=count) > least_share * statistics[:, cv2.CC_STAT_AREA]
    kept[0] = False
    return np.asarray(kept[labels], bool)


def without_specks(labels: Labels, min_area_um2: float, mpp: float) -> Labels:
    """The label map (rows, columns) without 4-connected regions smaller than ``min_area_um2``.

    Their pixels join the large regions around them, those beside one first, so that no new small region comes to be.
    0 is no label: it is neither given nor taken, and a small region with nothing but 0 around it stays. ``mpp`` is µm
    per map pixel.
    """
    margin = np.pad(labels, 1)
    small = np.pad(_in_small_regions(labels, min_area_um2, mpp), 1)
    flat, settled = margin.ravel(), ((margin > 0) & ~small).ravel()
    waiting = np.flatnonzero(small)
    while waiting.size:
        given = np.zeros(waiting.size, np.uint8)
        for step in (-1, 1, -margin.shape[1], margin.shape[1]):
            beside = waiting + step
            joins = (given == 0) & settled[beside]
            given[joins] = flat[beside[joins]]
        done = given > 0
        if not done.any():
            break
        flat[waiting[done]], settled[waiting[done]] = given[done], True
        waiting = waiting[~done]
    return np.ascontiguousarray(margin[1:-1, 1:-1])


def _in_small_regions(labels: Labels, min_area_um2: float, mpp: float) -> Mask:
    small = np.zeros(labels.shape, bool)
    for label in range(1, int(labels.max()) + 1):
        mask = labels == label
        if mask.any():
            _, numbers, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
            small |= mask & (statistics[:, cv2.CC_STAT_AREA] * mpp**2 < min_area_um2)[numbers]
    return small
