"""Pairs of centroids, nearest first."""

import numpy as np

from coverslip.pathology.metrics import CentroidScore, score_centroids
from coverslip.pathology.metrics.centroids import centroids_of


def at(*columns: int) -> np.ndarray:
    labels = np.zeros((1, 20), np.int32)
    labels[0, list(columns)] = np.arange(1, len(columns) + 1)
    return labels


def test_centroids_are_means_of_pixels() -> None:
    assert centroids_of(np.array([[0, 5, 5], [3, 0, 5]])).tolist() == [[5 / 3, 1 / 3], [0, 1]]


def test_the_nearest_pair_comes_first_and_nothing_is_paired_twice() -> None:
    # 5 pairs with 6, so 3 is left without 5, and 9 is too far from 6.
    assert score_centroids(at(5, 9), at(3, 6), 2.0) == CentroidScore(truth=2, found=2, matched=1)


def test_the_radius_belongs_to_the_match() -> None:
    assert score_centroids(at(5), at(8), 3.0).matched == 1
    assert score_centroids(at(5), at(8), 2.9).matched == 0


def test_nothing_found() -> None:
    assert score_centroids(at(5), at(), 3.0).f1 == 0
    assert score_centroids(at(), at(), 3.0).f1 == 1


def test_counts_add_up() -> None:
    assert (CentroidScore(2, 2, 1) + CentroidScore(2, 2, 2)).f1 == 0.75
