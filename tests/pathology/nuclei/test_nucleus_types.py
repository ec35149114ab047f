"""Nuclei are what a map of types says over their pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coverslip.pathology.classes import CELL, label_of
from coverslip.pathology.nuclei.nucleus_types import types_of_nuclei

LYMPHOCYTE, OTHER = label_of(CELL, "Lymphocyte"), label_of(CELL, "Other")
LABELS = np.array([[0, 1, 1], [2, 2, 0]], np.int32)


def of_pixels(*channels: list[list[float]]) -> np.ndarray:
    return np.stack([np.array(channel, np.float32) for channel in channels], axis=2)


def test_background_is_left_out_and_the_rest_is_the_mean_over_the_pixels() -> None:
    background = [[1, 0.5, 0.5], [0.8, 0.8, 1]]
    lymphocyte = [[0, 0.4, 0.2], [0, 0, 0]]
    other = [[0, 0.1, 0.3], [0.2, 0.2, 0]]
    types = types_of_nuclei(LABELS, of_pixels(background, lymphocyte, other), (0, LYMPHOCYTE, OTHER))
    assert types.dtype == np.float32
    assert types[:, LYMPHOCYTE - 1] == pytest.approx([0.6, 0])
    assert types[:, OTHER - 1] == pytest.approx([0.4, 1])


def test_channels_of_one_class_are_added_up() -> None:
    third = [[1 / 3] * 3] * 2
    types = types_of_nuclei(LABELS, of_pixels(third, third, third), (OTHER, LYMPHOCYTE, OTHER))
    assert types[:, OTHER - 1] == pytest.approx([2 / 3, 2 / 3])


def test_what_is_all_background_could_be_any_class_that_is_told() -> None:
    nothing, all_of_it = [[0.0] * 3] * 2, [[1.0] * 3] * 2
    types = types_of_nuclei(LABELS, of_pixels(all_of_it, nothing, nothing), (0, LYMPHOCYTE, OTHER))
    assert types[0, [LYMPHOCYTE - 1, OTHER - 1]] == pytest.approx([0.5, 0.5])
    assert types.sum(axis=1) == pytest.approx([1, 1])


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 6), st.integers(0, 2**32 - 1), st.data())
def test_types_are_probabilities_of_the_classes_told(
    rows: int, columns: int, most: int, seed: int, data: st.DataObject
) -> None:
    cell_labels = data.draw(st.lists(st.integers(0, len(CELL)), min_size=2, max_size=12).filter(any))
    generator = np.random.default_rng(seed)
    drawn = generator.integers(0, most + 1, (rows, columns))
    labels = (np.unique(np.append(0, drawn), return_inverse=True)[1][1:].reshape(rows, columns)).astype(np.int32)
    pixels = generator.dirichlet(np.full(len(cell_labels), 0.2), (rows, columns)).astype(np.float32)
    types = types_of_nuclei(labels, pixels, cell_labels)
    assert types.shape == (labels.max(), len(CELL))
    assert (types >= 0).all()
    assert np.allclose(types.sum(axis=1), 1, atol=1e-5)
    untold = [label - 1 for label in range(1, len(CELL) + 1) if label not in cell_labels]
    assert not types[:, untold].any()
