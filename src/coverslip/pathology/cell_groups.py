"""What tells connective, inflammatory and epithelial cells apart: their nuclei, and those beside them.

Amounts of stain differ between laboratories more than between cells, so all of them are relative to the field's own.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from coverslip.pathology.cells import NUCLEUS_FEATURES

GROUPS = ("connective", "inflammatory", "epithelial")
"""Connective: fibroblasts, endothelium, smooth muscle. Inflammatory: all leucocytes. Epithelial: benign and
malignant."""
GROUP_FEATURES = (
    "log_area",
    "roundness",
    "axis_ratio",
    "minor_axis_um",
    "major_axis_um",
    "haematoxylin_of_field",
    "perinuclear_of_nucleus",
    "log_distance",
    "log_area_nearby",
    "axis_ratio_nearby",
    "haematoxylin_nearby",
)
"""Columns of `group_features`."""

NEARBY = 5
"""Neighbours that are looked at."""
NEARBY_UM = 12.0
"""Distance at which a neighbour's word counts 1/e."""
TRUST = 0.05
"""Added to what neighbours say, so that none of them is certain."""
ALONE_UM = 30.0
"""Distance that is assumed to a neighbour that is not there."""

Columns = NDArray[np.float32]


def group_features(features: Columns, centroids_um: NDArray[np.float64]) -> Columns:
    """Describe nuclei and their surroundings: float32 (n, len(GROUP_FEATURES)).

    Parameters
    ----------
    features
        All nuclei of a field or slide, (n, len(NUCLEUS_FEATURES)).
    centroids_um
        (n, 2), µm.
    """
    if not len(features):
        return np.empty((0, len(GROUP_FEATURES)), np.float32)

    def column(name: str) -> NDArray[np.float64]:
        return features[:, NUCLEUS_FEATURES.index(name)].astype(np.float64)

    distance, nearest = _neighbours(centroids_um)
    haematoxylin = column("haematoxylin_mean")
    log_area = np.log(np.maximum(column("area_um2"), 1e-3))
    ratio = column("minor_axis_um") / np.maximum(column("major_axis_um"), 1e-3)
    columns = {
        "log_area": log_area,
        "roundness": column("roundness"),
        "axis_ratio": ratio,
        "minor_axis_um": column("minor_axis_um"),
        "major_axis_um": column("major_axis_um"),
        "haematoxylin_of_field": haematoxylin / max(1e-3, float(np.median(haematoxylin))),
        "perinuclear_of_nucleus": column("perinuclear_haematoxylin") / np.maximum(haematoxylin, 1e-3),
        "log_distance": np.log1p(distance[:, 1:3].mean(axis=1)),
        "log_area_nearby": np.median(log_area[nearest], axis=1),
        "axis_ratio_nearby": ratio[nearest].mean(axis=1),
        "haematoxylin_nearby": haematoxylin / np.maximum(haematoxylin[nearest].mean(axis=1), 1e-3),
    }
    return np.stack([columns[name] for name in GROUP_FEATURES], axis=1).astype(np.float32)


def heard_from_neighbours(probabilities: Columns, centroids_um: NDArray[np.float64]) -> Columns:
    """Probabilities (n, groups) after each cell has listened to the cells beside it, which tend to be of its group.

    The product of a cell's own probabilities and its neighbours' weighted mean, as in one step of loopy belief
    propagation (J. Pearl, Probabilistic Reasoning in Intelligent Systems, 1988).
    """
    if len(probabilities) < 2:
        return probabilities
    distance, nearest = _neighbours(centroids_um)
    weight = np.exp(-distance[:, 1:] / NEARBY_UM)
    said = (probabilities[nearest[:, 1:]] * weight[..., np.newaxis]).sum(axis=1) / weight.sum(axis=1, keepdims=True)
    together = (probabilities + 1e-3) * (said + TRUST)
    return np.asarray(together / together.sum(axis=1, keepdims=True), np.float32)


def _neighbours(centroids_um: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Distance and number of each nucleus itself and its `NEARBY` nearest, (n, 1 + NEARBY); itself where there are
    fewer."""
    distance, nearest = cKDTree(centroids_um).query(centroids_um, 1 + NEARBY)
    missing = ~np.isfinite(distance)
    own = np.broadcast_to(np.arange(len(centroids_um))[:, np.newaxis], nearest.shape)
    return np.where(missing, ALONE_UM, distance), np.where(missing, own, nearest)
