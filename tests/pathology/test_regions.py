"""Masks by size, distance and shape."""

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from coverslip.pathology.regions import closed, elongated, grown, opened, rich_in, touching, without_specks

masks = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=24))
radii = st.floats(1, 6)


@given(masks, radii)
def test_growing_takes_all_within_the_radius(mask: NDArray[np.bool_], radius_um: float) -> None:
    rows, columns = np.nonzero(mask)
    row, column = np.indices(mask.shape)
    square = (row[..., np.newaxis] - rows) ** 2 + (column[..., np.newaxis] - columns) ** 2
    expected = (square <= radius_um**2 + 1e-3).any(axis=2)
    np.testing.assert_array_equal(grown(mask, radius_um, 1.0), expected)


@given(masks, radii)
def test_opening_takes_away_and_closing_adds(mask: NDArray[np.bool_], radius_um: float) -> None:
    assert not (opened(mask, radius_um, 1.0) & ~mask).any()
    assert not (mask & ~closed(mask, radius_um, 1.0)).any()


def test_opening_keeps_what_the_disc_fits_into() -> None:
    mask = np.zeros((40, 60), bool)
    mask[5:35, 5:35] = True
    mask[19:21, 35:58] = True
    kept = opened(mask, 5.0, 1.0)
    assert kept[20, 20]
    assert not kept[:, 40:].any()


def test_touching_keeps_whole_regions() -> None:
    mask, seed = np.zeros((5, 9), bool), np.zeros((5, 9), bool)
    mask[1, 1:4] = mask[3, 5:8] = True
    seed[1, 2] = seed[4, 8] = True
    assert touching(mask, seed).nonzero()[1].tolist() == [1, 2, 3]
    assert not touching(mask, np.zeros_like(seed)).any()


def test_lines_and_rings_are_elongated_discs_are_not() -> None:
    row, column = np.mgrid[:100, :200]
    disc = (row - 50) ** 2 + (column - 50) ** 2 < 40**2
    radius = np.hypot(row - 50, column - 150)
    ring = (radius > 36) & (radius < 40)
    np.testing.assert_array_equal(elongated(disc | ring, 50.0, 0.25, 1.0), ring)
    assert not elongated(ring, 500.0, 0.25, 1.0).any()


def test_regions_rich_in_seeds_are_kept() -> None:
    mask, seeds = np.zeros((5, 30), bool), np.zeros((5, 30), bool)
    mask[2, 1:11] = mask[2, 15:25] = True
    seeds[2, 1:5] = seeds[2, 15] = seeds[2, 28] = True
    assert rich_in(mask, seeds, 0.25).nonzero()[1].tolist() == list(range(1, 11))
    assert not rich_in(mask, np.zeros_like(seeds), 0.25).any()


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=24), elements=st.integers(0, 3)))
def test_no_specks_stay_beside_large_regions(labels: NDArray[np.uint8]) -> None:
    least = 6
    found = without_specks(labels, least, 1.0)
    np.testing.assert_array_equal(found > 0, labels > 0)
    assert set(np.unique(found)) <= set(np.unique(labels))
    large = np.zeros(labels.shape, bool)
    for label in (1, 2, 3):
        _, numbers, statistics, _ = cv2.connectedComponentsWithStats((labels == label).astype(np.uint8), connectivity=4)
        large |= (statistics[:, cv2.CC_STAT_AREA] >= least)[numbers] & (labels == label)
    np.testing.assert_array_equal(found[large], labels[large])
    _, islands = cv2.connectedComponents((labels > 0).astype(np.uint8), connectivity=4)
    with_large = np.isin(islands, islands[large]) & (labels > 0)
    for label in (1, 2, 3):
        mask = with_large & (found == label)
        _, numbers, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
        assert (statistics[1:, cv2.CC_STAT_AREA] >= least).all()


def test_specks_go_to_the_region_around_them() -> None:
    labels = np.ones((20, 40), np.uint8)
    labels[:, 20:] = 2
    labels[5:7, 5:7], labels[5:7, 30:32], labels[10:15, 8:13] = 2, 3, 3
    expected = labels.copy()
    expected[5:7, 5:7], expected[5:7, 30:32] = 1, 2
    np.testing.assert_array_equal(without_specks(labels, 10.0, 1.0), expected)
