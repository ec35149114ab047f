"""A library of the site's own, empty."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from coverslip.models.settings import ModelSettings, load_settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelSettings:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COVERSLIP_MODELS", str(tmp_path / "library"))
    return load_settings()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder that somebody has models in."""
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


@pytest.fixture
def discs() -> NDArray[np.int32]:
    """Nuclei of 9 to 10 µm at 0.5 µm/px, two of them touching."""
    labels = np.zeros((130, 171), np.int32)
    for number, (x, y, radius) in enumerate([(30, 30, 9), (47, 30, 9), (110, 90, 10), (150, 20, 9)], 1):
        cv2.circle(labels, (x, y), radius, number, -1)
    return labels
