"""Discs, the simplest nuclei."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

Discs = Callable[..., NDArray[np.int32]]


@pytest.fixture
def discs() -> Discs:
    """Label images of discs (x, y, radius), the later ones in front."""

    def draw(*discs: tuple[int, int, int], shape: tuple[int, int] = (64, 96)) -> NDArray[np.int32]:
        labels = np.zeros(shape, np.int32)
        for number, (x, y, radius) in enumerate(discs, 1):
            cv2.circle(labels, (x, y), radius, number, -1)
        return labels

    return draw
