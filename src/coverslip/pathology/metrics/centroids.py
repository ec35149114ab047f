"""Score of detection by distance: F1 of centroids paired one to one within a radius."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from coverslip.pathology.metrics.overlaps import Labels, numbered
from coverslip.pathology.metrics.ratios import f1_score

MATCH_RADIUS_UM = 6.0
"""Distance within which two centroids are one nucleus: about the diameter of a nucleus."""


@dataclass(frozen=True)
class CentroidScore:
    """Counts behind the score; add those of several images to pool them."""

    truth: int = 0
    found: int = 0
    matched: int = 0

    def __add__(self, other: "CentroidScore") -> "CentroidScore":
        return CentroidScore(self.truth + other.truth, self.found + other.found, self.matched + other.matched)

    @property
    def f1(self) -> float:
        """F1 of detection, 0 to 1."""
        return f1_score(self.matched, self.truth, self.found)


def score_centroids(truth: Labels, found: Labels, radius_px: float) -> CentroidScore:
    """Pair the centroids of two instance label images greedily, nearest first, within ``radius_px`` (inclusive).

    Parameters
    ----------
    truth, found
        Instance label images of one resolution, 0 being background.
    radius_px
        `MATCH_RADIUS_UM` over the resolution in µm/px, or the radius of a nucleus where that is not known.
    """
    truth_xy, found_xy = centroids_of(truth), centroids_of(found)
    pairs = KDTree(truth_xy).sparse_distance_matrix(KDTree(found_xy), radius_px, output_type="ndarray")
    # Nearest first; ties by number, which does not depend on labels.
    truth_free, found_free = set(range(len(truth_xy))), set(range(len(found_xy)))
    matched = 0
    for _, i, j in sorted(zip(pairs["v"].tolist(), pairs["i"].tolist(), pairs["j"].tolist(), strict=True)):
        if i in truth_free and j in found_free:
            truth_free.remove(i)
            found_free.remove(j)
            matched += 1
    return CentroidScore(len(truth_xy), len(found_xy), matched)


def centroids_of(labels: Labels) -> NDArray[np.float64]:
    """Centroid x, y in pixels of every instance, in the order of their first pixels: float64 (n, 2)."""
    numbers, areas_px = numbered(labels)
    here = np.flatnonzero(numbers >= 0)
    rows, columns = np.divmod(here, labels.shape[1])
    sums = [np.bincount(numbers[here], weights=axis, minlength=len(areas_px)) for axis in (columns, rows)]
    centroids: NDArray[np.float64] = np.stack(sums, axis=1) / areas_px[:, np.newaxis]
    return centroids
