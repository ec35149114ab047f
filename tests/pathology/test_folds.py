"""Folds: narrow, with more of both stains than the same tissue on both sides."""

import numpy as np
import pytest

from coverslip.pathology.folds import find_folds

MPP = 4.0
STROMA, FOLDED, EPITHELIUM, COLLAGEN = (8, 50, 30), (16, 100, 60), (50, 70, 40), (8, 100, 60)
"""Densities of red, green and blue in hundredths."""
ACROSS = np.s_[230:255, 60:440]


def section(band: tuple[slice, slice], color: tuple[int, int, int]) -> np.ndarray:
    """Stroma, 2 x 2 mm, with a band of something else."""
    density = np.full((500, 500, 3), STROMA, np.uint8)
    density[band] = color
    return density


def folds(density: np.ndarray, tissue: np.ndarray | None = None) -> np.ndarray:
    return find_folds(density, np.ones(density.shape[:2], bool) if tissue is None else tissue, 0.293, MPP)


@pytest.mark.parametrize(
    ("band", "color", "is_fold"),
    [
        (ACROSS, FOLDED, True),
        (ACROSS, (10, 60, 36), False),
        (ACROSS, EPITHELIUM, False),
        (ACROSS, COLLAGEN, False),
        (ACROSS, (40, 90, 120), False),
        (np.s_[200:300, 200:300], FOLDED, False),
        (np.s_[0:25, 60:440], FOLDED, True),
    ],
    ids=["fold", "slightly denser", "epithelium", "collagen", "brown ink", "compact", "at the edge of the slide"],
)
def test_bands(band: tuple[slice, slice], color: tuple[int, int, int], is_fold: bool) -> None:
    found = folds(section(band, color))
    assert found.any() == is_fold
    if is_fold:
        assert found[band].mean() > 0.8
        assert found.sum() < 1.3 * found[band].size


def test_a_fold_goes_on_where_it_is_thinner() -> None:
    density = section(ACROSS, FOLDED)
    density[230:255, 250:440] = (12, 72, 43)
    assert folds(density)[ACROSS].mean() > 0.8


def test_the_dense_rim_of_a_section_is_no_fold() -> None:
    tissue = np.zeros((500, 500), bool)
    tissue[236:] = True  # the band then is a rim of 76 µm
    assert not folds(section(ACROSS, FOLDED), tissue).any()


def test_a_dense_border_between_two_tissues_is_no_fold() -> None:
    density = section(ACROSS, FOLDED)
    density[255:] = (8, 20, 12)
    assert not folds(density).any()


def test_memory_bounding_strips_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    density = section(np.s_[40:460, 200:225], FOLDED)
    whole = folds(density)
    assert whole.any()
    monkeypatch.setattr("coverslip.pathology.folds.STRIP_ROWS", 31)
    np.testing.assert_array_equal(folds(density), whole)
