"""Neighbourhoods against the definition, cell by cell."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from coverslip.pathology.readouts import neighborhood
from coverslip.pathology.readouts.neighborhood import Neighborhood, neighborhoods

CLASSES, TISSUES = 3, 2
RADII_UM = (20.0, 40.0)

Cell = tuple[int, int, int, int]
"""x, y in µm; class; tissue."""
cells_of_a_field = st.lists(
    st.tuples(st.integers(0, 90), st.integers(0, 90), st.integers(0, CLASSES - 1), st.integers(0, TISSUES - 1)),
    max_size=30,
)


def measure(cells: list[Cell]) -> list[Neighborhood]:
    table = np.array(cells, np.intp).reshape(-1, 4)
    return neighborhoods(table[:, :2].astype(float), table[:, 2], table[:, 3], (CLASSES, TISSUES), RADII_UM)


def nearest_um(cells: list[Cell], here: int, wanted: set[int], radius_um: float) -> list[float]:
    """The distance to the nearest of the wanted cells within the radius, if there is one."""
    x, y, _, _ = cells[here]
    found = [np.hypot(cells[other][0] - x, cells[other][1] - y) for other in wanted - {here}]
    return [min(found)] if found and min(found) <= radius_um else []


@given(cells_of_a_field, st.sampled_from([4, 1000]))
def test_counts_and_distances_are_as_defined(cells: list[Cell], cells_at_once: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighborhood, "CELLS_AT_ONCE", cells_at_once)
        found = measure(cells)
    for radius_um, result in zip(RADII_UM, found, strict=True):
        for a, t, b in np.ndindex(CLASSES, TISSUES, CLASSES):
            anchors = {i for i, cell in enumerate(cells) if cell[2:] == (a, t)}
            others = {i for i, cell in enumerate(cells) if cell[2] == b}
            assert result.neighbors[a, t, b] == sum(bool(nearest_um(cells, i, anchors, radius_um)) for i in others)
            distances = [distance for i in anchors for distance in nearest_um(cells, i, others, radius_um)]
            assert result.anchors_with[a, t, b] == len(distances)
            expected = np.mean(distances) if distances else np.nan
            np.testing.assert_allclose(result.mean_distance_um[a, t, b], expected, rtol=1e-9)


def test_a_cell_is_not_its_own_neighbor() -> None:
    near, _ = measure([(0, 0, 0, 0), (50, 0, 0, 0)])
    assert near.neighbors[0, 0, 0] == near.anchors_with[0, 0, 0] == 0
    assert near.area_um2[0, 0] == pytest.approx(2 * np.pi * 20**2)


def test_neighbors_outside_the_tissue_count() -> None:
    near, _ = measure([(0, 0, 0, 0), (10, 0, 1, 1), (0, 10, 1, 1)])
    assert near.neighbors[0, 0, 1] == 2
    assert near.anchors_with[0, 0, 1] == 1
    assert near.mean_distance_um[0, 0, 1] == 10


def test_the_order_of_the_cells_does_not_matter() -> None:
    random = np.random.default_rng(1)
    table = np.column_stack([random.integers(0, 2000, (5000, 2)), random.integers(0, 2, (5000, 2))])

    def counts(rows: NDArray[np.intp]) -> list[NDArray[np.int64]]:
        return [one.neighbors for one in measure([tuple(row) for row in table[rows].tolist()])]

    np.testing.assert_array_equal(counts(np.arange(5000)), counts(random.permutation(5000)))
