"""Masks are split at valleys, and only there."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from coverslip.pathology.nuclei.watershed import split_at_valleys

heights = arrays(np.float32, (8, 9), elements=st.integers(0, 6).map(float))
masks = arrays(np.bool_, (8, 9))


def profile(*values: float) -> NDArray[np.float32]:
    return np.array([values], np.float32)


def split(height: NDArray[np.float32], least_rise: float) -> list[int]:
    return split_at_valleys(height, height > 0, least_rise)[0].tolist()


def test_a_valley_parts_two_peaks() -> None:
    labels = split(profile(1, 3, 1.5, 4, 1), 1.0)
    assert labels[0] == labels[1] != labels[3] == labels[4]


def test_a_peak_that_hardly_rises_belongs_to_the_other() -> None:
    assert set(split(profile(1, 3, 2.5, 4, 1), 1.0)) == {1}
    assert set(split(profile(1, 3, 2.5, 4, 1), 0.5)) == {1, 2}


def test_a_plateau_is_one() -> None:
    assert set(split(profile(2, 2, 2, 2), 0.1)) == {1}


def test_peaks_merge_over_the_highest_pass_first() -> None:
    """The small peak in the middle joins the right one, over the pass of 2.9, and keeps nothing from being parted."""
    labels = split(profile(5, 1, 3, 2.9, 6), 1.0)
    assert labels[2] == labels[3] == labels[4] != labels[0]


def test_nothing_is_split_where_there_is_nothing() -> None:
    assert not split_at_valleys(profile(1, 2), np.zeros((1, 2), bool), 1.0).any()


@given(heights, masks, st.sampled_from([0.5, 1.5, 3.0]))
def test_what_holds_for_any_split(height: NDArray[np.float32], mask: NDArray[np.bool_], least_rise: float) -> None:
    labels = split_at_valleys(height, mask, least_rise)
    assert ((labels > 0) == mask).all()
    assert set(np.unique(labels[mask])) == set(range(1, labels.max() + 1))
    _, components = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    for label in range(1, labels.max() + 1):
        part = labels == label
        assert cv2.connectedComponents(part.astype(np.uint8), connectivity=8)[0] == 2, "a part is in one piece"
        assert len(np.unique(components[part])) == 1


@given(heights, masks)
def test_splits_are_nested(height: NDArray[np.float32], mask: NDArray[np.bool_]) -> None:
    """What a small rise keeps together stays together when more is asked for."""
    fine, coarse = split_at_valleys(height, mask, 0.5), split_at_valleys(height, mask, 2.5)
    assert all(len(np.unique(coarse[fine == label])) == 1 for label in range(1, fine.max() + 1))


@given(heights)
def test_an_endless_rise_leaves_one_part_per_component(height: NDArray[np.float32]) -> None:
    labels = split_at_valleys(height, height >= 0, np.inf)
    assert set(np.unique(labels)) == {1}


@pytest.mark.parametrize("least_rise", [0.1, 2.0])
def test_the_same_input_gives_the_same_labels(least_rise: float) -> None:
    height = np.random.default_rng(1).random((64, 64), np.float32)
    first = split_at_valleys(height, height > 0.3, least_rise)
    assert np.array_equal(first, split_at_valleys(height.copy(), height > 0.3, least_rise))
