"""F1, PQ and AJI of instances: small cases by hand, and what must hold for all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from coverslip.pathology.metrics import InstanceScore, score_centroids, score_instances

Labels = NDArray[np.int32]

label_images = arrays(np.int32, (6, 7), elements=st.integers(0, 5))


def renumbered(labels: Labels, factor: int) -> Labels:
    """The same instances under other numbers, in another order."""
    return np.where(labels > 0, 1000 - factor * labels, 0).astype(np.int32)


@given(label_images)
def test_a_label_image_agrees_with_itself(labels: Labels) -> None:
    score = score_instances(labels, labels)
    assert (score.f1, score.pq, score.aji) == (1, 1, 1)
    assert score_centroids(labels, labels, 0.0).f1 == 1


@given(label_images, label_images, st.integers(1, 100), st.integers(1, 100))
def test_numbers_of_instances_do_not_matter(truth: Labels, found: Labels, one: int, other: int) -> None:
    assert score_instances(renumbered(truth, one), renumbered(found, other)) == score_instances(truth, found)
    moved = score_centroids(renumbered(truth, one), renumbered(found, other), 1.5)
    assert moved == score_centroids(truth, found, 1.5)


@given(label_images, label_images)
def test_scores_stay_within_their_bounds(truth: Labels, found: Labels) -> None:
    score = score_instances(truth, found)
    assert 0 <= score.pq <= score.f1 <= 1
    either, both = ((truth > 0) | (found > 0)).sum(), ((truth > 0) & (found > 0)).sum()
    # Nuclei cannot overlap better one by one than all together.
    assert 0 <= score.aji <= (both / either if either else 1)
    mirrored = score_instances(found, truth)
    assert (mirrored.f1, mirrored.pq) == (score.f1, pytest.approx(score.pq))


@given(label_images, label_images)
def test_aji_is_that_of_the_published_algorithm(truth: Labels, found: Labels) -> None:
    intersection = union = 0
    used = set()
    order = lambda image: sorted(set(image[image > 0].tolist()), key=lambda label: np.argmax(image == label))  # noqa: E731
    for label in order(truth):
        mask = truth == label
        candidates = [(np.logical_and(mask, found == j).sum() / (mask | (found == j)).sum(), j) for j in order(found)]
        best = max(candidates, key=lambda candidate: candidate[0], default=(0, 0))
        if best[0] > 0:
            intersection += (mask & (found == best[1])).sum()
            union += (mask | (found == best[1])).sum()
            used.add(best[1])
        else:
            union += mask.sum()
    union += sum((found == label).sum() for label in order(found) if label not in used)
    score = score_instances(truth, found)
    assert (score.aggregated_intersection_px, score.aggregated_union_px) == (intersection, union)


def test_a_case_by_hand() -> None:
    """One nucleus found with one of four pixels too many, one missed, one false."""
    truth = np.array([[1, 1, 1, 0, 2, 2], [0, 0, 0, 0, 0, 0]])
    found = np.array([[7, 7, 7, 7, 0, 0], [0, 9, 9, 0, 0, 0]])
    score = score_instances(truth, found)
    assert (score.truth, score.found, score.matched) == (2, 2, 1)
    assert score.f1 == 0.5
    assert score.segmentation_quality == 0.75
    assert score.pq == 0.375
    assert score.aji == 3 / (4 + 2 + 2)


def test_an_overlap_of_exactly_half_is_no_match() -> None:
    assert score_instances(np.array([[1, 1, 0]]), np.array([[1, 0, 0]])).matched == 0


def test_scores_of_images_are_pooled_by_their_counts() -> None:
    one = score_instances(np.array([[1, 2]]), np.array([[1, 2]]))
    none = score_instances(np.array([[1, 2]]), np.array([[0, 0]]))
    assert (one + none).f1 == pytest.approx(2 * 2 / 6)
    assert (one + none).aji == 0.5
    assert one + InstanceScore() == one


def test_nothing_there_and_nothing_found_is_right() -> None:
    empty = np.zeros((2, 2), np.int32)
    assert score_instances(empty, empty).pq == 1
    assert score_instances(empty, empty + 1).pq == 0


def test_images_of_two_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="one shape"):
        score_instances(np.zeros((2, 2), int), np.zeros((2, 3), int))
