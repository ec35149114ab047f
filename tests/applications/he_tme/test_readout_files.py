"""The CSV files as a spreadsheet or pandas reads them."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from coverslip.applications.he_tme import readout_files
from coverslip.applications.he_tme.readout_files import (
    NOTICE,
    write_cell_readouts,
    write_extended_readouts,
    write_slide_readouts,
)
from coverslip.pathology.classes import CELL, TISSUE
from coverslip.pathology.readouts.extended_readout import ExtendedReadout
from harness.results import cell_table


def rows_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        assert file.readline() == f"{NOTICE}\n" == "# For Research Use Only\n"
        return list(csv.reader(file))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "N/A"),
        (0, "0"),
        (1234567, "1234567"),
        (1234567.0, "1235000.0"),
        (0.000123456, "0.0001235"),
        (0.0000123456, "1.235e-05"),
        (0.0, "0.0"),
        (49.99999, "50.0"),
        ('a "name", with #', 'a "name", with #'),
    ],
)
def test_values_of_a_slide(tmp_path: Path, value: float | str | None, text: str) -> None:
    write_slide_readouts(tmp_path / "slide.csv", {"SLIDE_NAME": "a", "VALUE": value})
    assert rows_of(tmp_path / "slide.csv") == [["SLIDE_NAME", "VALUE"], ["a", text]]


def test_pandas_reads_the_values_of_a_slide(tmp_path: Path) -> None:
    write_slide_readouts(tmp_path / "slide.csv", {"SLIDE_NAME": "a", "AREA": 12.5, "COUNT": 3, "MISSING": None})
    table = pd.read_csv(tmp_path / "slide.csv", skiprows=1)
    assert table.iloc[0, :3].to_list() == ["a", 12.5, 3]
    assert table["MISSING"].isna().all()


def test_pandas_reads_the_cells(tmp_path: Path) -> None:
    cells = cell_table(500)
    write_cell_readouts(tmp_path / "cells.csv", cells)
    assert rows_of(tmp_path / "cells.csv")[0][:4] == ["CELL_ID", "CELL_CLASS", "CENTROID_X", "CENTROID_Y"]
    table = pd.read_csv(tmp_path / "cells.csv", skiprows=1)
    assert table["CELL_ID"].to_list() == list(range(1, 501))
    assert table["CELL_CLASS"].to_list() == [list(CELL)[label - 1] for label in cells.classes]
    np.testing.assert_allclose(table[["CENTROID_X", "CENTROID_Y"]], cells.centroids_px, atol=0.00501)
    for column, feature in (
        ("NUCLEUS_AREA", "area_um2"),
        ("NUCLEUS_MNR_AXIS", "minor_axis_um"),
        ("NUCLEUS_SOLIDITY", "solidity"),
    ):
        np.testing.assert_allclose(table[column], cells.feature(feature), atol=1e-4)
    np.testing.assert_allclose(table["NUCLEUS_ECCENTRICITY"] + table["NUCLEUS_ROUNDNESS"], 1, atol=2e-4)
    np.testing.assert_allclose(table["CONFIDENCE"], cells.confidence, atol=1e-4)


def test_a_cell_is_in_one_tissue(tmp_path: Path) -> None:
    cells = cell_table(200)
    write_cell_readouts(tmp_path / "cells.csv", cells)
    table = pd.read_csv(tmp_path / "cells.csv", skiprows=1)
    inside = table[[f"IN_{name.upper().replace(' ', '_')}" for name in TISSUE]]
    assert all(pd.api.types.is_bool_dtype(kind) for kind in inside.dtypes)
    np.testing.assert_array_equal(inside.to_numpy().argmax(axis=1) + 1, cells.tissue)
    assert (inside.sum(axis=1) == 1).all()


def test_what_could_not_be_measured_is_empty(tmp_path: Path) -> None:
    cells = cell_table(3)
    cells.features[1] = np.nan
    write_cell_readouts(tmp_path / "cells.csv", cells)
    assert pd.read_csv(tmp_path / "cells.csv", skiprows=1)["NUCLEUS_AREA"].isna().to_list() == [False, True, False]
    assert rows_of(tmp_path / "cells.csv")[2][11] == ""


def test_pieces_make_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = cell_table(100)
    write_cell_readouts(tmp_path / "whole.csv", cells)
    monkeypatch.setattr(readout_files, "CELLS_AT_ONCE", 7)
    write_cell_readouts(tmp_path / "pieces.csv", cells)
    assert (tmp_path / "pieces.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_no_cells(tmp_path: Path) -> None:
    write_cell_readouts(tmp_path / "cells.csv", cell_table(0))
    assert len(rows_of(tmp_path / "cells.csv")) == 1


def test_extended_readouts_have_a_line_each(tmp_path: Path) -> None:
    one = ExtendedReadout("DENSITY", "Stroma", "Lymphocyte", 12.3456, "cells/mm²", "so many, per area")
    write_extended_readouts(tmp_path / "more.csv", "an-id", "a name", [one, replace(one, cell_class=None, value=None)])
    header, *lines = rows_of(tmp_path / "more.csv")
    assert header == ["slide_uuid", "slide_name", "readout", "region", "cell_class", "value", "unit", "definition"]
    assert lines == [
        ["an-id", "a name", "DENSITY", "Stroma", "Lymphocyte", "12.35", "cells/mm²", "so many, per area"],
        ["an-id", "a name", "DENSITY", "Stroma", "", "N/A", "cells/mm²", "so many, per area"],
    ]
