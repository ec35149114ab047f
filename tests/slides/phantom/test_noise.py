import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from coverslip.slides.phantom.noise import Grid, hashed, smooth_noise


@given(st.integers(0, 2**32 - 1), st.integers(-1000, 1000), st.integers(-1000, 1000))
def test_noise_is_a_function_of_place(seed: int, column: int, row: int) -> None:
    """Two windows that overlap agree there."""
    one = smooth_noise(Grid.over(column * 16, row * 16, 320, 320, 2), 37, seed, 1)
    other = smooth_noise(Grid.over(column * 16 + 160, row * 16 + 96, 320, 320, 2), 37, seed, 1)
    np.testing.assert_allclose(one[48:, 80:], other[:-48, :-80], atol=1e-4)


def test_noise_has_mean_zero_and_moderate_spread() -> None:
    noise = smooth_noise(Grid.over(0, 0, 8000, 8000, 20), 100, 4, 2)
    assert abs(noise.mean()) < 0.05
    assert 0.2 < noise.std() < 0.7


@given(st.integers(0, 2**32 - 1))
def test_hashes_are_even(seed: int) -> None:
    values = hashed(np.arange(100)[:, np.newaxis], np.arange(100)[np.newaxis, :], seed, 3)
    counts = np.histogram(values, 10, (0, 1))[0]
    assert counts.min() > 800
    assert counts.max() < 1200
