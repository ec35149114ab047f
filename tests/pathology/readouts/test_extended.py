"""Extended readouts: what must add up, and the measures of a tumour on small made cases."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from coverslip.pathology.cells import CellTable
from coverslip.pathology.classes import CELL, TISSUE, label_of
from coverslip.pathology.polygons import regions_of
from coverslip.pathology.readouts.columns import CELL_TISSUES, column
from coverslip.pathology.readouts.extended import extended_readouts
from coverslip.pathology.readouts.slide import slide_readouts
from coverslip.pathology.readouts.values import Value
from coverslip.pathology.zones import ZONE
from harness.results import cell_table

CARCINOMA, STROMA = (label_of(TISSUE, name) for name in ("Carcinoma", "Stroma"))
MAP_PX, CELL_PX, MPP = 250, 8, 0.5
"""A map of 1 mm²."""
NUCLEUS_UM2 = 50.0

Map = NDArray[np.uint8]


def readouts(tissue: Map, cells: CellTable) -> dict[str, Value]:
    regions = regions_of(tissue, CELL_PX, MAP_PX * CELL_PX, MAP_PX * CELL_PX)
    return {one.name: one.value for one in extended_readouts(MPP, cells, regions, tissue, CELL_PX)}


def tissue_in_halves() -> Map:
    """Carcinoma on the left, stroma on the right."""
    tissue = np.full((MAP_PX, MAP_PX), STROMA, np.uint8)
    tissue[:, : MAP_PX // 2] = CARCINOMA
    return tissue


def lymphocytes(left: int, right: int) -> CellTable:
    """So many in carcinoma on the left and in stroma on the right."""
    cells = cell_table(left + right, MAP_PX * CELL_PX, MAP_PX * CELL_PX, MPP)
    x_px = np.repeat([0.25, 0.75], [left, right]) * MAP_PX * CELL_PX
    features = cells.features.copy()
    features[:, 0] = NUCLEUS_UM2
    return replace(
        cells,
        centroids_px=np.column_stack([x_px, cells.centroids_px[:, 1]]),
        classes=np.full(left + right, label_of(CELL, "Lymphocyte"), np.uint8),
        tissue=np.repeat(np.array([CARCINOMA, STROMA], np.uint8), [left, right]),
        features=features,
    )


@pytest.fixture(scope="module")
def extended(sample: Any) -> dict[str, Value]:
    found = extended_readouts(sample.mpp, sample.cells, sample.tissue_regions, sample.tissue, sample.cell_px)
    values = {one.name: one.value for one in found}
    assert len(values) == len(found)
    assert all(one.definition and one.region for one in found)
    return values


def test_densities_are_those_of_the_slide_readouts_per_mm2(sample: Any, extended: dict[str, Value]) -> None:
    slide = slide_readouts("", "", sample.mpp, sample.cells, sample.quality_regions, sample.tissue_regions)
    for cell in CELL:
        assert extended[column("CELL_DENSITY", cell, "PER_MM2")] == pytest.approx(
            1e6 * slide[column("CELL_DENSITY", cell)]
        )
        for tissue in CELL_TISSUES[:-1]:
            assert extended[column("CELL_DENSITY", cell, tissue, "PER_MM2")] == pytest.approx(
                1e6 * slide[column("CELL_DENSITY", cell, tissue)]
            )


def test_zones_add_up_to_the_slide(sample: Any, extended: dict[str, Any]) -> None:
    slide_mm2 = (sample.tissue > 0).sum() * (sample.cell_px * sample.mpp) ** 2 / 1e6
    assert sum(extended[column("ABSOLUTE_AREA", zone)] for zone in ZONE) == pytest.approx(slide_mm2)
    assert sum(extended[column("RELATIVE_AREA", zone)] for zone in ZONE) == pytest.approx(100)
    counts = [extended[column("CELL_COUNT", cell, "IN", zone)] for zone in ZONE for cell in CELL]
    assert sum(counts) == len(sample.cells)
    zone = max(ZONE, key=lambda name: extended[column("ABSOLUTE_AREA", name)])
    assert sum(extended[column("RELATIVE_AREA", tissue, "IN", zone)] for tissue in TISSUE) == pytest.approx(100)
    assert sum(extended[column("CELL_PERCENTAGE", cell, "IN", zone)] for cell in CELL) == pytest.approx(100)
    assert extended[column("CELL_DENSITY", "Lymphocyte", "IN", zone)] == pytest.approx(
        extended[column("CELL_COUNT", "Lymphocyte", "IN", zone)] / extended[column("ABSOLUTE_AREA", zone)]
    )


def test_readouts_are_the_same_whatever_the_slide_holds(extended: dict[str, Value]) -> None:
    nothing = readouts(np.zeros((MAP_PX, MAP_PX), np.uint8), lymphocytes(0, 0))
    assert list(nothing) == list(extended)
    assert nothing["IMMUNE_PHENOTYPE"] is nothing["TIL_DENSITY_IN_TUMOR"] is None
    assert nothing["ABSOLUTE_AREA_TUMOR_CORE"] == nothing["CELL_COUNT_LYMPHOCYTE_IN_TUMOR_CORE"] == 0


@pytest.mark.parametrize(
    ("left", "right", "phenotype"),
    [(130, 0, "inflamed"), (130, 130, "inflamed"), (120, 130, "excluded"), (120, 120, "desert"), (0, 0, "desert")],
)
def test_immune_phenotypes(left: int, right: int, phenotype: str) -> None:
    """Each half is half a mm², so that 125 lymphocytes are at the threshold."""
    assert readouts(tissue_in_halves(), lymphocytes(left, right))["IMMUNE_PHENOTYPE"] == phenotype


def test_without_stroma_a_tumor_is_a_desert_or_inflamed() -> None:
    tissue = np.full((MAP_PX, MAP_PX), CARCINOMA, np.uint8)
    assert readouts(tissue, lymphocytes(0, 0))["IMMUNE_PHENOTYPE"] == "desert"


def test_tumor_infiltrating_lymphocytes_are_those_within_the_border() -> None:
    found = readouts(tissue_in_halves(), lymphocytes(100, 200))
    assert found["TIL_DENSITY_IN_TUMOR"] == pytest.approx(200)
    assert found["STROMAL_TIL_AREA_PERCENTAGE"] is None
    assert found["STROMA_PERCENTAGE_IN_TUMOR"] == 0
    assert found["CELL_COUNT_LYMPHOCYTE_IN_INNER_INVASIVE_MARGIN"] == 100
    assert found["CELL_COUNT_LYMPHOCYTE_IN_OUTER_INVASIVE_MARGIN"] == 200


def test_stroma_in_the_tumor() -> None:
    """50 of 250 columns of the map are stroma, too narrow for host tissue."""
    tissue = np.full((MAP_PX, MAP_PX), CARCINOMA, np.uint8)
    tissue[:, 20:220:4] = STROMA
    stroma_um2 = (tissue == STROMA).sum() * (CELL_PX * MPP) ** 2
    cells = lymphocytes(0, 200)
    found = readouts(tissue, replace(cells, centroids_px=np.full((200, 2), 100 * CELL_PX + 1.0)))
    assert found["STROMA_PERCENTAGE_IN_TUMOR"] == pytest.approx(100 * 50 / 250)
    assert found["STROMAL_TIL_AREA_PERCENTAGE"] == pytest.approx(100 * 200 * NUCLEUS_UM2 / stroma_um2, rel=1e-6)
