"""Sizes of labelled nuclei, and their number, at resolutions stated rightly and wrongly."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from coverslip.pathology.nuclei.scale_check import FEWEST_NUCLEI, LEAST_TISSUE_UM2, are_sparse, judge_scale

FIELD = Path(__file__).parents[4] / "shared" / "eval" / "nuclei_classes_hgsc" / "hgsc_nest_labels.png"
"""Carcinoma, connective tissue and leucocytes, at a resolution taken to be `MPP`."""
MPP = 0.25


@pytest.fixture(scope="module")
def areas_px() -> np.ndarray:
    areas = np.bincount(np.asarray(Image.open(FIELD)).ravel())[1:]
    return areas[areas > 0]


def test_nuclei_at_the_right_resolution_are_usual(areas_px: np.ndarray) -> None:
    assert judge_scale(areas_px * MPP**2, MPP) is None


@pytest.mark.parametrize("factor", [0.25, 0.5, 4])
def test_grossly_wrong_resolutions_are_impossible(areas_px: np.ndarray, factor: float) -> None:
    finding = judge_scale(areas_px * (MPP * factor) ** 2, MPP * factor)
    assert finding is not None
    assert finding.too_small == (factor < 1)
    assert finding.impossible
    assert MPP / 2 < finding.likely_mpp < MPP * 2


@given(st.floats(0.1, 5_000), st.floats(0.08, 0.55), st.integers(FEWEST_NUCLEI, 400))
def test_the_likely_resolution_makes_nuclei_usual(area_um2: float, mpp: float, count: int) -> None:
    finding = judge_scale(np.full(count, area_um2), mpp)
    if finding is not None:
        corrected = np.full(count, area_um2 * (finding.likely_mpp / mpp) ** 2)
        assert judge_scale(corrected, finding.likely_mpp) is None
        assert finding.too_small == (finding.likely_mpp > mpp)


def test_few_nuclei_say_nothing_of_their_size() -> None:
    assert judge_scale(np.full(FEWEST_NUCLEI - 1, 1_000.0), 0.5) is None
    assert judge_scale(np.empty(0), 0.5) is None


def test_tissue_without_nuclei_is_sparse_unless_there_is_little_of_it() -> None:
    assert are_sparse(0, LEAST_TISSUE_UM2)
    assert are_sparse(40, 1e6)
    assert not are_sparse(60, 1e6)
    assert not are_sparse(0, LEAST_TISSUE_UM2 - 1)
