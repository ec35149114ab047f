"""Folds: dense, narrow, of their surroundings' colour, and with tissue on both sides."""

import numpy as np
import pytest

from coverslip.pathology.folds import find_folds

MPP = 4.0


def section(band: tuple[slice, slice], mean: int, red: int) -> np.ndarray:
    """Stroma of density 0.30, red 0.08, 2 x 2 mm, with a band of another."""
    density = np.zeros((500, 500, 2), np.uint8)
    density[..., 0], density[..., 1] = 30, 8
    density[band] = mean, red
    return density


ACROSS = np.s_[230:255, 60:440]


@pytest.mark.parametrize(
    ("band", "mean", "red", "is_fold"),
    [
        (ACROSS, 60, 16, True),
        (ACROSS, 36, 10, False),
        (ACROSS, 60, 36, False),
        (np.s_[200:300, 200:300], 60, 16, False),
        (np.s_[0:25, 60:440], 60, 16, True),
    ],
    ids=["fold", "slightly denser", "purple as epithelium", "compact", "at the edge of the slide"],
)
def test_bands(band: tuple[slice, slice], mean: int, red: int, is_fold: bool) -> None:
    found = find_folds(section(band, mean, red), np.ones((500, 500), bool), 0.30, MPP)
    assert found.any() == is_fold
    if is_fold:
        assert found[band].mean() > 0.8
        assert found.sum() < 1.6 * found[band].size


def test_the_dense_rim_of_a_section_is_no_fold() -> None:
    tissue = np.zeros((500, 500), bool)
    tissue[236:] = True  # the band then is a rim of 76 µm
    assert not find_folds(section(ACROSS, 60, 16), tissue, 0.30, MPP).any()
