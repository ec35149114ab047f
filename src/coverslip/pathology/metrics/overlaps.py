"""Which instances of two label images overlap, and by how many pixels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.integer]


@dataclass(frozen=True)
class Overlaps:
    """Sizes of all instances and of every overlap, in pixels.

    Instances are numbered from 0 in the order of their first pixel, row by row: nothing depends on their labels.

    Attributes
    ----------
    truth_px, found_px
        int64 (n,) and (m,), area of each instance.
    truth, found, shared_px
        int64 (k,), for every pair that overlaps: number of either instance and the pixels they share.
    """

    truth_px: NDArray[np.int64]
    found_px: NDArray[np.int64]
    truth: NDArray[np.int64]
    found: NDArray[np.int64]
    shared_px: NDArray[np.int64]

    @property
    def union_px(self) -> NDArray[np.int64]:
        """int64 (k,), pixels of the union of every pair that overlaps."""
        union: NDArray[np.int64] = self.truth_px[self.truth] + self.found_px[self.found] - self.shared_px
        return union

    @property
    def iou(self) -> NDArray[np.float64]:
        """float64 (k,), intersection over union of every pair that overlaps, above 0 to 1."""
        iou: NDArray[np.float64] = self.shared_px / self.union_px
        return iou


def overlaps_of(truth: Labels, found: Labels) -> Overlaps:
    """The overlaps of two instance label images of one shape, 0 being background.

    Raises
    ------
    ValueError
        If their shapes differ.
    """
    if truth.shape != found.shape:
        raise ValueError(f"truth is {truth.shape} and found {found.shape}: label images must have one shape")
    truth_numbers, truth_px = numbered(truth)
    found_numbers, found_px = numbered(found)
    both = (truth_numbers >= 0) & (found_numbers >= 0)
    pairs, shared_px = np.unique(truth_numbers[both] * max(1, len(found_px)) + found_numbers[both], return_counts=True)
    first, second = np.divmod(pairs, max(1, len(found_px)))
    return Overlaps(truth_px, found_px, first, second, shared_px)


def numbered(labels: Labels) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number of the instance at each pixel, int64 (pixels,), -1 for background; and the area of each in pixels.

    Instances are numbered from 0 in the order of their first pixel.
    """
    flat = labels.ravel()
    here = np.flatnonzero(flat)
    _, first, inverse, areas_px = np.unique(flat[here], return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(first)
    numbers = np.full(flat.size, -1, np.int64)
    numbers[here] = np.argsort(order)[inverse]
    return numbers, areas_px[order]
