"""How well what was found agrees with the truth: scores are sums of counts, so those of several images add up."""

from coverslip.pathology.metrics.centroids import CentroidScore, score_centroids
from coverslip.pathology.metrics.classes import ClassScore, score_classes
from coverslip.pathology.metrics.instances import InstanceScore, score_instances
from coverslip.pathology.metrics.masks import MaskScore, score_mask

__all__ = [
    "CentroidScore",
    "ClassScore",
    "InstanceScore",
    "MaskScore",
    "score_centroids",
    "score_classes",
    "score_instances",
    "score_mask",
]
