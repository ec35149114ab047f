"""The values of the slide readouts: what must add up, what must be within bounds, what is missing."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from coverslip.pathology.classes import CELL, TISSUE, label_of
from coverslip.pathology.readouts.columns import CELL_TISSUES, RADII_UM, column, slide_columns
from coverslip.pathology.readouts.slide import slide_readouts

Values = dict[str, Any]


def readouts(sample: Any) -> Values:
    return slide_readouts("an-id", "a name", sample.mpp, sample.cells, sample.quality_regions, sample.tissue_regions)


@pytest.fixture(scope="module")
def values(sample: Any) -> Values:
    return readouts(sample)


def test_every_column_has_its_value_in_order(values: Values) -> None:
    assert list(values) == slide_columns()
    assert list(values.values())[:3] == ["an-id", "a name", 0.5]
    assert values["CELL_CLASSES"].split(";") == list(CELL)
    assert all(value is None or isinstance(value, (str, int, float)) for value in values.values())
    assert not any(isinstance(value, float) and not np.isfinite(value) for value in values.values())


def test_areas_are_those_of_the_map(sample: Any, values: Values) -> None:
    um2 = (sample.cell_px * sample.mpp) ** 2
    for name in TISSUE:
        assert values[column("ABSOLUTE_AREA", name)] == (sample.tissue == label_of(TISSUE, name)).sum() * um2
    assert values["ABSOLUTE_AREA"] == (sample.tissue > 0).sum() * um2


def test_relative_areas_add_up(values: Values) -> None:
    assert sum(values[column("RELATIVE_AREA", name)] for name in TISSUE) == pytest.approx(100)
    quality = ("TISSUE_ARTIFACT", "MARKER", "OUT_OF_FOCUS", "VALID_TISSUE")
    assert sum(values[f"RELATIVE_AREA_{name}"] for name in quality) == pytest.approx(100)
    assert values["ABSOLUTE_AREA_NO_TISSUE"] > 0
    assert values["RELATIVE_AREA_NO_TISSUE"] is None


def test_shapes_are_within_their_bounds(sample: Any, values: Values) -> None:
    for name in CELL_TISSUES[:-1]:
        assert values[column("REGION_COUNT", name)] == sum(
            region.label == label_of(TISSUE, name) for region in sample.tissue_regions
        )
        for readout in ("AVG_ECCENTRICITY", "AVG_EXTENT", "AVG_SOLIDICITY", "LARGEST_ROUNDNESS", "LARGEST_SOLIDICITY"):
            assert 0 < values[column(readout, name)] <= 1
        assert values[column("LARGEST_CONVEX_AREA", name)] >= values[column("LARGEST_FILLED_AREA", name)]
        assert values[column("LARGEST_MAJ_AXIS", name)] >= values[column("LARGEST_MNR_AXIS", name)] > 0
        roundness, eccentricity = (values[column(f"LARGEST_{one}", name)] for one in ("ROUNDNESS", "ECCENTRICITY"))
        assert roundness + eccentricity == pytest.approx(1)


def test_shapes_of_regions_are_in_micrometres(sample: Any) -> None:
    fine = readouts(sample)
    coarse = readouts(replace(sample, mpp=2 * sample.mpp))
    for name, factor in (
        ("LARGEST_CONVEX_AREA", 4),
        ("LARGEST_PERIMETER", 2),
        ("LARGEST_MAJ_AXIS", 2),
        ("AVG_EXTENT", 1),
    ):
        assert coarse[f"{name}_STROMA"] == pytest.approx(factor * fine[f"{name}_STROMA"])


def test_counts_add_up(sample: Any, values: Values) -> None:
    assert sum(values[column("CELL_COUNT", cell)] for cell in CELL) == values["CELL_N_TOTAL"] == len(sample.cells)
    for cell in CELL:
        in_tissues = [values[column("CELL_COUNT", cell, tissue)] for tissue in CELL_TISSUES]
        assert sum(in_tissues) == values[column("CELL_COUNT", cell)]
    assert sum(values[column("CELL_PERCENTAGE", cell)] for cell in CELL) == pytest.approx(100)
    assert sum(values[column("CELL_PERCENTAGE", cell, "Stroma")] for cell in CELL) == pytest.approx(100)
    assert values["CELL_DENSITY_LYMPHOCYTE"] == values["CELL_COUNT_LYMPHOCYTE"] / values["ABSOLUTE_AREA"]
    in_stroma = values["CELL_COUNT_LYMPHOCYTE_STROMA"] / values["ABSOLUTE_AREA_STROMA"]
    assert values["CELL_DENSITY_LYMPHOCYTE_STROMA"] == in_stroma


def test_nuclei_are_averaged_over_their_class(sample: Any, values: Values) -> None:
    is_one = sample.cells.classes == label_of(CELL, "Macrophage")
    area_um2, roundness = sample.cells.feature("area_um2"), sample.cells.feature("roundness")
    assert values["NUCLEUS_AVG_AREA_MACROPHAGE"] == pytest.approx(area_um2[is_one].mean(), rel=1e-5)
    assert values["NUCLEUS_AVG_ECCENTRICITY_MACROPHAGE"] == pytest.approx(1 - roundness[is_one].mean(), rel=1e-5)
    assert values["NUCLEUS_AVG_AREA"] == pytest.approx(area_um2.mean(), rel=1e-5)


def test_what_could_not_be_measured_of_a_nucleus_is_left_out(sample: Any, values: Values) -> None:
    features = sample.cells.features.copy()
    features[:, 0] = np.nan
    features[7, 0] = 30
    found = readouts(replace(sample, cells=replace(sample.cells, features=features)))
    assert found["NUCLEUS_AVG_AREA"] == 30
    assert found["NUCLEUS_AVG_PERIMETER"] == values["NUCLEUS_AVG_PERIMETER"]


def test_neighborhoods_are_within_their_bounds(values: Values) -> None:
    for radius_um in RADII_UM:
        for anchor in CELL:
            for tissue in CELL_TISSUES:
                _check_neighborhood(values, anchor, ("AROUND", anchor, "IN", tissue, radius_um), tissue, radius_um)


def _check_neighborhood(values: Values, anchor: str, around: tuple[object, ...], tissue: str, radius_um: int) -> None:
    anchors = values[column("CELL_COUNT", anchor, tissue)]
    area_um2, total = values[column("AREA", *around)], values[column("TOTAL_NUMBER_OF_NEIGHBORS", *around)]
    assert np.pi * radius_um**2 * min(anchors, 1) <= area_um2 * 1.001
    assert area_um2 <= 1.001 * anchors * np.pi * radius_um**2
    assert total == sum(values[column("NUMBER_OF", f"{one}s", *around)] for one in CELL)
    for one in CELL:
        number, with_one = (
            values[column(*words, *around)]
            for words in (("NUMBER_OF", f"{one}s"), ("NUMBER_OF_CELLS_WITH", one, "NEIGHBORS"))
        )
        assert 0 <= number <= values[column("CELL_COUNT", one)]
        assert with_one <= anchors
        assert (number > 0) == (with_one > 0)
        assert values[column("DENSITY_OF", f"{one}s", *around)] == (number / area_um2 if area_um2 else None)
        assert values[column("RATIO_OF", f"{one}s", *around)] == (number / total if total else None)
        distance_um = values[column("AVG_MIN_DISTANCE_OF", f"{one}s", *around)]
        assert (distance_um is None) == (with_one == 0)
        assert distance_um is None or 0 <= distance_um <= radius_um


def test_a_wider_radius_finds_no_less(values: Values) -> None:
    near = [name for name in slide_columns() if name.startswith(("AREA_AROUND", "NUMBER_OF")) and name.endswith("_20")]
    assert all(values[name] <= values[name.removesuffix("20") + "40"] for name in near)


def test_a_class_and_a_tissue_that_are_absent(values: Values) -> None:
    assert values["REGION_COUNT_VESSEL"] == values["ABSOLUTE_AREA_VESSEL"] == values["RELATIVE_AREA_VESSEL"] == 0
    assert values["AVG_EXTENT_VESSEL"] is values["LARGEST_PERIMETER_VESSEL"] is None
    assert values["CELL_COUNT_LYMPHOCYTE_VESSEL"] == 0
    assert values["CELL_PERCENTAGE_LYMPHOCYTE_VESSEL"] is values["CELL_DENSITY_LYMPHOCYTE_VESSEL"] is None
    assert values["AREA_AROUND_LYMPHOCYTE_IN_VESSEL_20"] == 0
    assert values["DENSITY_OF_LYMPHOCYTES_AROUND_LYMPHOCYTE_IN_VESSEL_20"] is None


def test_a_slide_without_cells_and_regions_has_every_column(sample: Any) -> None:
    cells = sample.cells
    none = replace(
        cells,
        centroids_px=cells.centroids_px[:0],
        classes=cells.classes[:0],
        confidence=cells.confidence[:0],
        tissue=cells.tissue[:0],
        features=cells.features[:0],
    )
    found = readouts(replace(sample, cells=none, quality_regions=[], tissue_regions=[]))
    assert list(found) == slide_columns()
    assert found["CELL_N_TOTAL"] == found["ABSOLUTE_AREA"] == 0
    assert found["NUCLEUS_AVG_AREA"] is found["CELL_DENSITY_LYMPHOCYTE"] is None


def test_cells_in_necrosis_are_refused(sample: Any) -> None:
    tissue = sample.cells.tissue.copy()
    tissue[5] = label_of(TISSUE, "Necrosis")
    with pytest.raises(ValueError, match="every cell must lie in one of Carcinoma, "):
        readouts(replace(sample, cells=replace(sample.cells, tissue=tissue)))
