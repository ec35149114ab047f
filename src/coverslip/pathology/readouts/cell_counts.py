"""How many cells there are of each class in each tissue, and what their nuclei look like on average."""

import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.cells import CellTable
from coverslip.pathology.classes import CELL, TISSUE, label_of
from coverslip.pathology.readouts.columns import CELL_TISSUES

Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]


def class_numbers(cells: CellTable) -> Numbers:
    """The class of each cell (n,) as its number in `CELL`, from 0."""
    return cells.classes.astype(np.intp) - 1


def tissue_numbers(cells: CellTable) -> Numbers:
    """The tissue of each cell (n,) as its number in `CELL_TISSUES`, from 0.

    Raises
    ------
    ValueError
        If a cell lies in no tissue, or in one without cells.
    """
    numbers = np.full(len(TISSUE) + 1, -1)
    numbers[[label_of(TISSUE, name) for name in CELL_TISSUES]] = range(len(CELL_TISSUES))
    found: Numbers = numbers[cells.tissue]
    if (found < 0).any():
        raise ValueError(f"every cell must lie in one of {', '.join(CELL_TISSUES)}")
    return found


def cell_counts(cells: CellTable) -> NDArray[np.int64]:
    """Cells of each class (first axis) in each of `CELL_TISSUES` (second axis)."""
    shape = (len(CELL), len(CELL_TISSUES))
    number = np.ravel_multi_index((class_numbers(cells), tissue_numbers(cells)), shape)
    counts: NDArray[np.int64] = np.bincount(number, minlength=shape[0] * shape[1]).reshape(shape)
    return counts


def class_means(cells: CellTable, feature: str) -> Floats:
    """The mean of a feature over the nuclei of each class, and in the last place over all nuclei.

    Nuclei of which it could not be measured are left out; NaN where none is left.
    """
    values = cells.feature(feature).astype(np.float64)
    known = np.isfinite(values)
    classes = class_numbers(cells)[known]
    totals = np.bincount(classes, values[known], len(CELL))
    counts = np.bincount(classes, minlength=len(CELL))
    with np.errstate(invalid="ignore"):
        means: Floats = np.append(totals, totals.sum()) / np.append(counts, counts.sum())
    return means
