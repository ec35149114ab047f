"""The names of the slide readouts: how many, how called, in what order."""

import re

import pytest

from coverslip.pathology.classes import CELL, TISSUE
from coverslip.pathology.readouts.columns import CELL_TISSUES, RADII_UM, column, slide_columns

COLUMNS = slide_columns()


def test_there_are_4548_different_names_in_upper_case() -> None:
    assert len(COLUMNS) == len(set(COLUMNS)) == 4548
    assert all(re.fullmatch(r"[A-Z0-9_]+", name) for name in COLUMNS)


@pytest.mark.parametrize(
    ("first", "last", "count"),
    [
        ("SLIDE_UUID", "IMAGE_RESOLUTION", 3),
        ("ABSOLUTE_AREA", "ABSOLUTE_AREA", 1),
        ("ABSOLUTE_AREA_TISSUE_ARTIFACT", "RELATIVE_AREA_VALID_TISSUE", 10),
        ("ABSOLUTE_AREA_CARCINOMA", "RELATIVE_AREA_VESSEL", 14),
        ("REGION_COUNT_CARCINOMA", "LARGEST_ECCENTRICITY_VESSEL", 84),
        ("CELL_CLASSES", "CELL_N_TOTAL", 2),
        ("NUCLEUS_AVG_AREA", "NUCLEUS_AVG_PERIMETER", 6),
        ("CELL_COUNT_CARCINOMA_CELL", "CELL_DENSITY_PLASMA_CELL_VESSEL", 63 + 135),
        (
            "AREA_AROUND_CARCINOMA_CELL_IN_CARCINOMA_20",
            "AVG_MIN_DISTANCE_OF_PLASMA_CELLS_AROUND_PLASMA_CELL_IN_VESSEL_20",
            2115,
        ),
        (
            "AREA_AROUND_CARCINOMA_CELL_IN_CARCINOMA_40",
            "AVG_MIN_DISTANCE_OF_PLASMA_CELLS_AROUND_PLASMA_CELL_IN_VESSEL_40",
            2115,
        ),
    ],
)
def test_blocks_follow_one_another(first: str, last: str, count: int) -> None:
    assert COLUMNS.index(last) - COLUMNS.index(first) + 1 == count


def test_relative_areas_follow_the_absolute_ones_of_their_class() -> None:
    start = COLUMNS.index("ABSOLUTE_AREA_CARCINOMA")
    assert COLUMNS[start : start + 4] == [
        "ABSOLUTE_AREA_CARCINOMA",
        "RELATIVE_AREA_CARCINOMA",
        "ABSOLUTE_AREA_EPITHELIAL_TISSUE",
        "RELATIVE_AREA_EPITHELIAL_TISSUE",
    ]


def test_a_cell_class_has_its_own_columns_before_those_of_its_tissues() -> None:
    start = COLUMNS.index("CELL_COUNT_OTHER")
    assert COLUMNS[start : start + 10] == [
        "CELL_COUNT_OTHER",
        "NUCLEUS_AVG_AREA_OTHER",
        "NUCLEUS_AVG_ROUNDNESS_OTHER",
        "NUCLEUS_AVG_ECCENTRICITY_OTHER",
        "NUCLEUS_AVG_PERIMETER_OTHER",
        "CELL_PERCENTAGE_OTHER",
        "CELL_DENSITY_OTHER",
        "CELL_COUNT_OTHER_CARCINOMA",
        "CELL_PERCENTAGE_OTHER_CARCINOMA",
        "CELL_DENSITY_OTHER_CARCINOMA",
    ]


def test_neighbors_come_before_anchors() -> None:
    start = COLUMNS.index("AREA_AROUND_LYMPHOCYTE_IN_STROMA_20")
    assert COLUMNS[start : start + 8] == [
        "AREA_AROUND_LYMPHOCYTE_IN_STROMA_20",
        "TOTAL_NUMBER_OF_NEIGHBORS_AROUND_LYMPHOCYTE_IN_STROMA_20",
        "NUMBER_OF_CELLS_WITH_LYMPHOCYTE_NEIGHBORS_AROUND_CARCINOMA_CELL_IN_STROMA_20",
        "NUMBER_OF_LYMPHOCYTES_AROUND_CARCINOMA_CELL_IN_STROMA_20",
        "DENSITY_OF_LYMPHOCYTES_AROUND_CARCINOMA_CELL_IN_STROMA_20",
        "RATIO_OF_LYMPHOCYTES_AROUND_CARCINOMA_CELL_IN_STROMA_20",
        "AVG_MIN_DISTANCE_OF_LYMPHOCYTES_AROUND_CARCINOMA_CELL_IN_STROMA_20",
        "NUMBER_OF_CELLS_WITH_LYMPHOCYTE_NEIGHBORS_AROUND_ENDOTHELIAL_CELL_IN_STROMA_20",
    ]
    areas = [name for name in COLUMNS if name.startswith("AREA_AROUND")]
    assert areas == [column("AREA_AROUND", c, "IN", t, r) for r in RADII_UM for c in CELL for t in CELL_TISSUES]


def test_blood_and_necrosis_have_areas_and_no_cells() -> None:
    assert set(TISSUE) - set(CELL_TISSUES) == {"Blood", "Necrosis"}
    assert "ABSOLUTE_AREA_BLOOD" in COLUMNS
    assert not any(name.startswith("CELL_COUNT") and name.endswith(("BLOOD", "NECROSIS")) for name in COLUMNS)
