"""Tidy instance label images: drop what is too small, number without gaps."""

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int32]


def renumbered(labels: Labels, kept: NDArray[np.bool_] | None = None) -> Labels:
    """The instances of a label image (h, w), numbered from 1 without gaps in the order of their labels.

    ``kept`` is bool, one per label from 0 to the highest; where it is false the instance becomes background.
    """
    present = np.bincount(labels.ravel()) > 0
    if kept is not None:
        present &= kept
    present[0] = False
    numbers = np.where(present, np.cumsum(present), 0).astype(np.int32)
    return np.asarray(numbers[labels], np.int32)


def without_small(labels: Labels, least_area_px: float) -> Labels:
    """The instances of at least ``least_area_px``, numbered from 1 without gaps."""
    return renumbered(labels, np.bincount(labels.ravel()) >= least_area_px)
