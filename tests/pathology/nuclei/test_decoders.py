"""Nuclei from the maps of networks of every kind: maps made from known discs give these discs back."""

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from coverslip.pathology.metrics import score_instances
from coverslip.pathology.nuclei.classical import segment_classically
from coverslip.pathology.nuclei.hover_maps import instances_of_offsets
from coverslip.pathology.nuclei.probability_maps import instances_of_probability
from coverslip.pathology.nuclei.star_polygons import instances_of_stars
from coverslip.pathology.stain import STAIN_VECTORS

MPP = 0.5
TOUCHING = ((30, 30, 9), (47, 30, 9), (70, 20, 6), (70, 50, 8))
Labels = NDArray[np.int32]


def places_within(labels: Labels) -> NDArray[np.float32]:
    """Each pixel's place within its nucleus from -1 to 1, as HoVer-Net learns it."""
    places = np.zeros((*labels.shape, 2), np.float32)
    for label in range(1, labels.max() + 1):
        rows, columns = np.nonzero(labels == label)
        for axis, values in enumerate((columns, rows)):
            offset = values - values.mean()
            places[rows, columns, axis] = np.where(offset > 0, offset / offset.max(), -offset / offset.min())
    return places


def stars_within(labels: Labels, grid: int, rays: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Depth in its nucleus of every grid-th pixel, and its ways to the border."""
    sampled = labels[::grid, ::grid]
    distances = np.zeros((*sampled.shape, rays), np.float32)
    depth = np.zeros(sampled.shape, np.float32)
    for row, column in zip(*np.nonzero(sampled), strict=True):
        for ray in range(rays):
            angle, length = 2 * np.pi * ray / rays, 0
            while True:
                y = round(row * grid + length * np.sin(angle))
                x = round(column * grid + length * np.cos(angle))
                if not (0 <= y < labels.shape[0] and 0 <= x < labels.shape[1]):
                    break
                if labels[y, x] != sampled[row, column]:
                    break
                length += 1
            distances[row, column, ray] = max(0, length - 1)
        depth[row, column] = distances[row, column].min() / distances[row, column].max()
    return depth, distances


def test_hover_maps(discs: Any) -> None:
    truth = discs(*TOUCHING)
    found = instances_of_offsets((truth > 0).astype(np.float32), places_within(truth), MPP, 0.5)
    score = score_instances(truth, found)
    assert (score.truth, score.found, score.matched) == (4, 4, 4)
    assert score.segmentation_quality > 0.95


def test_blurred_hover_maps(discs: Any) -> None:
    """Networks are never sure where one nucleus ends and the next begins."""
    truth = discs(*TOUCHING)
    nuclei = cv2.GaussianBlur((truth > 0).astype(np.float32), (0, 0), 1.0)
    offsets = cv2.GaussianBlur(places_within(truth), (0, 0), 1.0)
    score = score_instances(truth, instances_of_offsets(nuclei, offsets, MPP, 0.5))
    assert (score.found, score.matched) == (4, 4)


@pytest.mark.parametrize("grid", [1, 2])
def test_stars(discs: Any, grid: int) -> None:
    truth = discs(*TOUCHING)
    probability, distances = stars_within(truth, grid, 32)
    found = instances_of_stars(probability, distances, grid, truth.shape, MPP, 0.3, 0.3)
    score = score_instances(truth, found)
    assert (score.truth, score.found, score.matched) == (4, 4, 4)
    assert score.segmentation_quality > 0.85


def test_a_star_mostly_behind_a_better_one_is_a_double() -> None:
    probability = np.zeros((40, 40), np.float32)
    probability[20, 15], probability[20, 26] = 0.9, 0.8
    distances = np.full((40, 40, 32), 10, np.float32)
    # Of two discs of radius 10 whose centres are 11 apart, 0.34 of each is shared.
    for most_overlap, count in ((0.2, 1), (0.5, 2)):
        found = instances_of_stars(probability, distances, 1, (40, 40), MPP, 0.5, most_overlap)
        assert found.max() == count
        assert found[20, 20] == found[20, 15], "the better star is in front"


def test_stars_that_reach_beyond_the_image_are_cut() -> None:
    probability = np.zeros((20, 20), np.float32)
    probability[0, 19] = 1
    found = instances_of_stars(probability, np.full((20, 20, 8), 9, np.float32), 1, (20, 20), MPP, 0.5, 0.3)
    assert found[0, 19] == 1
    assert found[15, 5] == 0


def test_a_probability_map(discs: Any) -> None:
    truth = discs(*TOUCHING)
    probability = cv2.GaussianBlur((truth > 0).astype(np.float32), (0, 0), 0.7)
    score = score_instances(truth, instances_of_probability(probability, MPP, 0.5))
    assert (score.found, score.matched) == (4, 4)
    assert score.segmentation_quality > 0.9


def stained(labels: Labels) -> NDArray[np.uint8]:
    """Pale eosin with nuclei in haematoxylin."""
    density = 0.15 * STAIN_VECTORS[1] + 0.5 * (labels > 0)[..., np.newaxis] * STAIN_VECTORS[0]
    return np.asarray(np.rint(255 * 10**-density), np.uint8)


@pytest.mark.parametrize("scale", [1, 2])
def test_the_classical_way(discs: Any, scale: int) -> None:
    truth = discs(*[tuple(scale * value for value in disc) for disc in TOUCHING], shape=(64 * scale, 96 * scale))
    score = score_instances(truth, segment_classically(stained(truth), MPP / scale))
    assert (score.found, score.matched) == (4, 4)


def test_blank_glass_has_no_nuclei(discs: Any) -> None:
    noise = np.random.default_rng(1).integers(236, 246, (200, 200, 3), dtype=np.uint8)
    assert not segment_classically(noise, 0.25).any()
    nothing = np.zeros((50, 50), np.float32)
    assert not instances_of_probability(nothing, MPP, 0.5).any()
    assert not instances_of_offsets(nothing, np.ones((50, 50, 2), np.float32), MPP, 0.5).any()
    assert not instances_of_stars(nothing, np.ones((50, 50, 8), np.float32), 1, (50, 50), MPP, 0.5, 0.3).any()
