"""Label images at another resolution."""

from typing import Any

import numpy as np
import pytest

from coverslip.pathology.metrics import score_instances
from coverslip.pathology.nuclei.enlarging import enlarged

DISCS = ((10, 12, 6), (21, 12, 5), (37, 22, 4))


@pytest.mark.parametrize("factor", [1.5, 2.0, 3.7])
def test_discs_stay_discs(discs: Any, factor: float) -> None:
    small = discs(*DISCS, shape=(32, 48))
    shape = round(32 * factor), round(48 * factor)
    # The centre of pixel x lies at x + 0.5, whatever its size.
    y, x = np.mgrid[: shape[0], : shape[1]]
    truth = np.zeros(shape, np.int32)
    for number, (cx, cy, radius) in enumerate(DISCS, 1):
        away = np.hypot((x + 0.5) / factor - cx - 0.5, (y + 0.5) / factor - cy - 0.5)
        truth[away < radius] = number
    score = score_instances(truth, enlarged(small, shape))
    assert (score.found, score.matched) == (3, 3)
    assert score.segmentation_quality > 0.9


def test_it_shrinks_too(discs: Any) -> None:
    small = enlarged(discs((40, 40, 20), shape=(80, 80)), (40, 40))
    assert small.shape == (40, 40)
    assert (small > 0).sum() == pytest.approx(np.pi * 10**2, rel=0.1)


def test_numbers_have_no_gaps() -> None:
    labels = np.zeros((20, 20), np.int32)
    labels[2:8, 2:8], labels[10:16, 10:16] = 3, 9
    assert set(np.unique(enlarged(labels, (40, 40)))) == {0, 1, 2}


def test_nothing_stays_nothing() -> None:
    assert not enlarged(np.zeros((4, 4), np.int32), (9, 9)).any()
