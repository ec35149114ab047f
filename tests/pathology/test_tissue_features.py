"""What the classifier of tissue is told: near things only, whatever the strength of the stain."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from coverslip.pathology.features import measure
from coverslip.pathology.reference import SlideReference
from coverslip.pathology.stain import STAIN_VECTORS
from coverslip.pathology.tissue_features import TISSUE_FEATURES, tissue_features

GLASS = (240.0, 240.0, 240.0)
POOL = 4


def stained(strength: float, seed: int = 1, side_px: int = 720) -> NDArray[np.uint8]:
    """Purple blobs of nuclei's size in pink, 1 µm per pixel."""
    noise = np.random.default_rng(seed).normal(size=(side_px, side_px)).astype(np.float32)
    blobs = np.clip(12 * cv2.GaussianBlur(noise, (0, 0), 3.0), 0, 1)
    haematoxylin, eosin = strength * 0.5 * blobs, strength * 0.4 * np.ones_like(blobs)
    density = np.stack([haematoxylin, eosin], axis=2) @ STAIN_VECTORS[:2]
    return np.rint(GLASS * 10**-density).astype(np.uint8)


def table(rgb: NDArray[np.uint8], strength: float = 1.0) -> NDArray[np.float32]:
    reference = SlideReference(GLASS, 0.2 * strength, 0.5)
    return tissue_features(rgb, measure(rgb, 1.0, POOL, GLASS), reference)


def test_every_cell_has_every_feature() -> None:
    found = table(stained(1.0))
    assert found.shape == (180, 180, len(TISSUE_FEATURES))
    assert found.dtype == np.float32
    assert len(set(TISSUE_FEATURES)) == len(TISSUE_FEATURES)


@pytest.mark.parametrize("rgb", [np.full((400, 400, 3), value, np.uint8) for value in (0, 240, 255)])
def test_blank_images_have_numbers_too(rgb: NDArray[np.uint8]) -> None:
    assert np.isfinite(table(rgb)).all()
    nothing = SlideReference(GLASS, 0.0, 0.0)
    assert np.isfinite(tissue_features(rgb, measure(rgb, 1.0, POOL, GLASS), nothing)).all()


def test_what_lies_farther_away_is_not_heard_of() -> None:
    near, far = stained(1.0), stained(1.0)
    far[:, 2 * 160 + 40 :] = 30
    cells = np.s_[:, : (160 + 40) // POOL]
    assert np.array_equal(table(near)[cells], table(far)[cells])
    assert not np.array_equal(table(near), table(far))


def test_the_strength_of_the_stain_hardly_matters() -> None:
    weak, strong, other = table(stained(0.8), 0.8), table(stained(1.4), 1.4), table(stained(1.0, seed=2))
    spread = other.std(axis=(0, 1)) + 0.05
    assert (np.abs(weak - strong).mean(axis=(0, 1)) / spread).max() < 0.6
    assert np.abs(weak - strong).mean() < 0.2 * np.abs(weak - other).mean()
