"""Which cells lie round which: areas, counts and distances for every class in every tissue.

An *anchor* is a cell of a class in a tissue. Its *neighbours* are all other cells within a radius of it, in whatever
tissue they lie.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from coverslip.pathology.readouts.disc_union import disc_union_areas

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Numbers = NDArray[np.intp]

CELLS_AT_ONCE = 16_384
"""Cells whose neighbours are in memory at a time: some 150 MB at the 150 neighbours each of the densest tissue."""


@dataclass(frozen=True)
class Neighborhood:
    """What lies within a radius of the anchors of each class (first axis) in each tissue (second axis).

    Attributes
    ----------
    area_um2
        float64 (classes, tissues). Of the union of the discs round the anchors, not cut to the tissue.
    neighbors
        int64 (classes, tissues, classes). Cells of the third axis's class that are neighbours of an anchor, each once.
    anchors_with
        int64 (classes, tissues, classes). Anchors that have a neighbour of the third axis's class.
    mean_distance_um
        float64 (classes, tissues, classes). From those anchors to the nearest such neighbour; NaN without any.
    """

    area_um2: Floats
    neighbors: Counts
    anchors_with: Counts
    mean_distance_um: Floats


def neighborhoods(
    centroids_um: Floats, classes: Numbers, tissues: Numbers, shape: tuple[int, int], radii_um: Sequence[float]
) -> list[Neighborhood]:
    """The neighbourhoods of all cells, one for each radius.

    Parameters
    ----------
    centroids_um
        float64 (n, 2).
    classes, tissues
        int (n,), numbered from 0.
    shape
        How many classes and tissues there are.
    radii_um
        Time and memory grow with the square of the largest.
    """
    order = np.argsort(centroids_um[:, 0], kind="stable")
    points, groups = centroids_um[order], (classes * shape[1] + tissues)[order]
    tree = cKDTree(points)
    found = [_Sums(shape) for _ in radii_um]
    for start in range(0, len(points), CELLS_AT_ONCE):
        rows = slice(start, min(start + CELLS_AT_ONCE, len(points)))
        nearest_um = _nearest_of_groups(points, tree, groups, rows, shape[0] * shape[1], max(radii_um))
        for sums, radius_um in zip(found, radii_um, strict=True):
            sums.add(nearest_um, groups[rows], radius_um)
    areas = [disc_union_areas(points[groups == group], radii_um) for group in range(shape[0] * shape[1])]
    return [sums.result(np.reshape(area, shape)) for sums, area in zip(found, np.transpose(areas), strict=True)]


def _nearest_of_groups(
    points: Floats, tree: cKDTree, groups: Numbers, rows: slice, group_count: int, most_um: float
) -> Floats:
    """The distance of some cells (n, groups) to the nearest other cell of each group; infinite above ``most_um``."""
    pairs = cKDTree(points[rows]).sparse_distance_matrix(tree, most_um, output_type="ndarray")
    pairs = pairs[pairs["i"] + rows.start != pairs["j"]]
    nearest = np.full((rows.stop - rows.start) * group_count, np.inf)
    np.minimum.at(nearest, pairs["i"] * group_count + groups[pairs["j"]], pairs["v"])
    return nearest.reshape(-1, group_count)


class _Sums:
    """What adds up over the cells; a group is a class in a tissue, numbered tissue by tissue within its class."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._shape = shape
        groups, classes = shape[0] * shape[1], shape[0]
        self._neighbors = np.zeros((groups, classes))
        self._anchors_with = np.zeros((groups, classes))
        self._distance_um = np.zeros((groups, classes))

    def add(self, nearest_um: Floats, groups: Numbers, radius_um: float) -> None:
        """Count cells of ``groups`` (n,) with their distances (n, groups) to the nearest of each group."""
        class_count, tissue_count = self._shape
        is_in_group = np.eye(class_count * tissue_count)[groups]
        is_of_class = np.eye(class_count)[groups // tissue_count]
        of_class_um = nearest_um.reshape(-1, class_count, tissue_count).min(axis=2)
        within = of_class_um <= radius_um
        # Being within reach is mutual: a cell is a neighbour of the anchors it is near to.
        self._neighbors += (nearest_um <= radius_um).T.astype(float) @ is_of_class
        self._anchors_with += is_in_group.T @ within
        self._distance_um += is_in_group.T @ np.where(within, of_class_um, 0)

    def result(self, area_um2: Floats) -> Neighborhood:
        shape = (*self._shape, self._shape[0])
        with np.errstate(invalid="ignore"):
            mean_um = self._distance_um / self._anchors_with
        return Neighborhood(
            area_um2,
            self._neighbors.astype(np.int64).reshape(shape),
            self._anchors_with.astype(np.int64).reshape(shape),
            mean_um.reshape(shape),
        )
