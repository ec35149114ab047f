"""Write the readouts of a slide and of its cells as CSV.

Each file begins with the line `NOTICE`, which readers skip (``pandas.read_csv(path, skiprows=1)``).
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from coverslip.pathology.cells import NUCLEUS_FEATURES, CellTable
from coverslip.pathology.classes import CELL, TISSUE, label_of
from coverslip.pathology.readouts.columns import column
from coverslip.pathology.readouts.extended_readout import ExtendedReadout
from coverslip.pathology.readouts.values import Value

NOTICE = "# For Research Use Only"
MISSING = "N/A"
SIGNIFICANT_DIGITS = 4
CENTROID_DECIMALS, FEATURE_DECIMALS = 2, 4
"""As in the other files of the cells."""
CELLS_AT_ONCE = 65_536

PUBLISHED_FEATURES = {
    "NUCLEUS_AREA": "area_um2",
    "NUCLEUS_ROUNDNESS": "roundness",
    "NUCLEUS_ECCENTRICITY": "roundness",
    "NUCLEUS_PERIMETER": "perimeter_um",
    "NUCLEUS_MAJ_AXIS": "major_axis_um",
    "NUCLEUS_MNR_AXIS": "minor_axis_um",
}
"""Columns of the published he-tme and the feature that each shows; eccentricity is 1 - roundness."""
OWN_FEATURES = tuple(name for name in NUCLEUS_FEATURES if name not in PUBLISHED_FEATURES.values())
EXTENDED_COLUMNS = ("slide_uuid", "slide_name", "readout", "region", "cell_class", "value", "unit", "definition")


def write_slide_readouts(path: Path, readouts: Mapping[str, Value]) -> None:
    """Write one line of column names and one of values, with `MISSING` for None."""
    _write_rows(path, [list(readouts), [_text(value) for value in readouts.values()]])


def write_extended_readouts(path: Path, slide_uuid: str, slide_name: str, readouts: Sequence[ExtendedReadout]) -> None:
    """Write one line for each readout, with `EXTENDED_COLUMNS`; files of many slides can be put under one another."""
    rows = (
        [slide_uuid, slide_name, one.name, one.region, one.cell_class or "", _text(one.value), one.unit, one.definition]
        for one in readouts
    )
    _write_rows(path, [EXTENDED_COLUMNS, *rows])


def write_cell_readouts(path: Path, cells: CellTable) -> None:
    """Write one line for each cell, a piece at a time.

    ``CELL_ID`` is the number of the row from 1, as in the other files of the cells. Centroids are in level-0 pixels,
    lengths in µm, areas in µm², stains in optical density. There is a column ``IN_…`` for each class of `TISSUE`, true
    or false. What could not be measured is empty.
    """
    with path.open("wb") as file:
        schema = _cell_table(cells, slice(0, 0)).schema
        file.write(f"{NOTICE}\n{','.join(schema.names)}\n".encode())
        # Left to itself, Arrow puts quotes round all text and the names of the columns.
        options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="none")
        with pyarrow.csv.CSVWriter(file, schema, write_options=options) as writer:
            for start in range(0, len(cells), CELLS_AT_ONCE):
                writer.write_table(_cell_table(cells, slice(start, min(start + CELLS_AT_ONCE, len(cells)))))


def _cell_table(cells: CellTable, rows: slice) -> pa.Table:
    x, y = cells.centroids_px[rows].round(CENTROID_DECIMALS).T
    columns = {
        "CELL_ID": pa.array(np.arange(rows.start, rows.stop) + 1),
        "CELL_CLASS": pa.array(list(CELL)).take(pa.array(cells.classes[rows] - 1)),
        "CENTROID_X": pa.array(x),
        "CENTROID_Y": pa.array(y),
    }
    for tissue in TISSUE:
        columns[column("IN", tissue)] = pa.array(cells.tissue[rows] == label_of(TISSUE, tissue))
    for name, feature in PUBLISHED_FEATURES.items():
        values = cells.feature(feature)[rows]
        columns[name] = _numbers(1 - values if name == "NUCLEUS_ECCENTRICITY" else values)
    for feature in OWN_FEATURES:
        columns[column("NUCLEUS", feature)] = _numbers(cells.feature(feature)[rows])
    columns["CONFIDENCE"] = _numbers(cells.confidence[rows])
    return pa.table(columns)


def _numbers(values: NDArray[np.float32]) -> pa.Array:
    return pa.array(values.round(FEATURE_DECIMALS), from_pandas=True)


def _text(value: Value) -> str:
    if value is None:
        return MISSING
    return str(float(f"{value:.{SIGNIFICANT_DIGITS}g}")) if isinstance(value, float) else str(value)


def _write_rows(path: Path, rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(f"{NOTICE}\n")
        csv.writer(file, lineterminator="\n").writerows(rows)
