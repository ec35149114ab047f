"""Readouts of cells and their nuclei."""

from collections.abc import Mapping

from coverslip.pathology.cells import CellTable
from coverslip.pathology.classes import CELL
from coverslip.pathology.readouts.cell_counts import cell_counts, class_means
from coverslip.pathology.readouts.columns import CELL_TISSUES, CLASS_NUCLEUS_READOUTS, NUCLEUS_READOUTS, column
from coverslip.pathology.readouts.values import Value, known, quotient

FEATURES = {
    "AREA": "area_um2",
    "ROUNDNESS": "roundness",
    "MAJ_AXIS": "major_axis_um",
    "MNR_AXIS": "minor_axis_um",
    "PERIMETER": "perimeter_um",
}
"""Which of `NUCLEUS_FEATURES` a readout averages."""


def nucleus_values(cells: CellTable) -> dict[str, Value]:
    """Averages over all nuclei, and over those of each class."""
    means = {readout: class_means(cells, feature) for readout, feature in FEATURES.items()}
    means["ECCENTRICITY"] = 1 - means["ROUNDNESS"]
    values: dict[str, Value] = {
        column("NUCLEUS_AVG", readout): known(means[readout][-1]) for readout in NUCLEUS_READOUTS
    }
    for readout in CLASS_NUCLEUS_READOUTS:
        values |= {
            column("NUCLEUS_AVG", readout, name): known(mean)
            for name, mean in zip(CELL, means[readout][:-1], strict=True)
        }
    return values


def count_values(cells: CellTable, tissue_um2: Mapping[str, float]) -> dict[str, Value]:
    """Counts, percentages and densities per µm² of each class, on the slide and in each tissue with cells."""
    counts = cell_counts(cells)
    slide_um2 = sum(tissue_um2.values())
    values: dict[str, Value] = {}
    for name, in_tissues in zip(CELL, counts.tolist(), strict=True):
        values |= _values((name,), sum(in_tissues), len(cells), slide_um2)
        for tissue, count, of_all in zip(CELL_TISSUES, in_tissues, counts.sum(axis=0).tolist(), strict=True):
            values |= _values((name, tissue), count, of_all, tissue_um2[tissue])
    return values


def _values(of: tuple[str, ...], count: int, of_all: int, area_um2: float) -> dict[str, Value]:
    return {
        column("CELL_COUNT", *of): count,
        column("CELL_PERCENTAGE", *of): quotient(count, of_all, 100),
        column("CELL_DENSITY", *of): quotient(count, area_um2),
    }
