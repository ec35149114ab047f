"""Scores of instances by overlap: F1 at IoU 0.5, panoptic quality and aggregated Jaccard index.

Sources: A. Kirillov et al., Panoptic Segmentation, CVPR 2019 (PQ, and why a match above IoU 0.5 is unique);
N. Kumar et al., A Dataset and a Technique for Generalized Nuclear Segmentation for Computational Pathology,
IEEE Transactions on Medical Imaging 36(7), 2017, 1550-1560, algorithm 1 (AJI).
"""

from dataclasses import dataclass

import numpy as np

from coverslip.pathology.metrics.overlaps import Labels, Overlaps, overlaps_of
from coverslip.pathology.metrics.ratios import f1_score, share

MATCH_IOU = 0.5


@dataclass(frozen=True)
class InstanceScore:
    """Counts behind the scores; add those of several images to pool them.

    Attributes
    ----------
    truth, found
        Number of instances.
    matched
        Pairs whose intersection over union exceeds `MATCH_IOU`.
    matched_iou
        Sum of the IoU of these pairs.
    aggregated_intersection_px, aggregated_union_px
        Numerator and denominator of AJI.
    """

    truth: int = 0
    found: int = 0
    matched: int = 0
    matched_iou: float = 0.0
    aggregated_intersection_px: int = 0
    aggregated_union_px: int = 0

    def __add__(self, other: "InstanceScore") -> "InstanceScore":
        return InstanceScore(
            self.truth + other.truth,
            self.found + other.found,
            self.matched + other.matched,
            self.matched_iou + other.matched_iou,
            self.aggregated_intersection_px + other.aggregated_intersection_px,
            self.aggregated_union_px + other.aggregated_union_px,
        )

    @property
    def f1(self) -> float:
        """F1 of detection at IoU above 0.5, 0 to 1."""
        return f1_score(self.matched, self.truth, self.found)

    @property
    def segmentation_quality(self) -> float:
        """Mean IoU of matched pairs, above 0.5 to 1; 1 where nothing matched."""
        return share(self.matched_iou, self.matched)

    @property
    def pq(self) -> float:
        """Panoptic quality, 0 to 1: F1 times segmentation quality."""
        return self.f1 * self.segmentation_quality

    @property
    def aji(self) -> float:
        """Aggregated Jaccard index, 0 to 1."""
        return share(self.aggregated_intersection_px, self.aggregated_union_px)


def score_instances(truth: Labels, found: Labels) -> InstanceScore:
    """Compare two instance label images (h, w) of any integer type, 0 being background.

    Raises
    ------
    ValueError
        If their shapes differ.
    """
    overlaps = overlaps_of(truth, found)
    matched_iou = overlaps.iou[overlaps.iou > MATCH_IOU]
    intersection_px, union_px = _aggregated(overlaps)
    return InstanceScore(
        truth=len(overlaps.truth_px),
        found=len(overlaps.found_px),
        matched=len(matched_iou),
        matched_iou=float(matched_iou.sum()),
        aggregated_intersection_px=intersection_px,
        aggregated_union_px=union_px,
    )


def _aggregated(overlaps: Overlaps) -> tuple[int, int]:
    """Intersection and union of each true instance with the found one of highest IoU, which may be that of several, and
    in the union all that nothing was paired with."""
    best_first = np.lexsort((-overlaps.iou, overlaps.truth))
    paired, first = np.unique(overlaps.truth[best_first], return_index=True)
    best = best_first[first]
    missed_px = overlaps.truth_px.sum() - overlaps.truth_px[paired].sum()
    used = np.unique(overlaps.found[best])
    surplus_px = overlaps.found_px.sum() - overlaps.found_px[used].sum()
    return int(overlaps.shared_px[best].sum()), int(overlaps.union_px[best].sum() + missed_px + surplus_px)
