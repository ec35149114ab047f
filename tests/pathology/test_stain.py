import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coverslip.pathology.stain import STAIN_VECTORS, optical_density, stain_concentrations


@given(st.floats(0, 1.2), st.floats(0, 1.0), st.floats(0, 0.5))
def test_concentrations_of_mixed_stains_come_back(haematoxylin: float, eosin: float, residual: float) -> None:
    mixed = np.array([haematoxylin, eosin, residual]) @ STAIN_VECTORS
    found = stain_concentrations(mixed.astype(np.float32).reshape(1, 1, 3))
    np.testing.assert_allclose(found[0, 0], [haematoxylin, eosin, residual], atol=1e-4)


def test_optical_density_is_the_logarithm_against_the_background() -> None:
    pixels = np.array([[[240, 24, 255], [0, 240, 120]]], np.uint8)
    density = optical_density(pixels, (240.0, 240.0, 240.0))
    assert density[0, 0].tolist() == pytest.approx([0, 1, 0], abs=1e-6)
    assert density[0, 1].tolist() == pytest.approx([np.log10(240), 0, np.log10(2)], abs=1e-6)


def test_stain_vectors_have_unit_length() -> None:
    np.testing.assert_allclose(np.linalg.norm(STAIN_VECTORS, axis=1), 1, atol=0.005)
