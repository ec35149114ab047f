"""Grid cells get the class that was painted over their middle, and close regions of a class are one place."""

from pathlib import Path

import numpy as np
import pytest
import shapely

from coverslip.applications.tissue_maps import Grid
from coverslip.models.errors import AnnotationUnusable
from coverslip.models.tissue_training.annotations import PaintedRegion
from coverslip.models.tissue_training.painting import NOTHING, SEVERAL, Painting, paint
from coverslip.pathology.classes import TISSUE, label_of

GRID = Grid((50, 60), 8, 4)
FILE = Path("a.geojson")


def painted(*regions: tuple[str, shapely.Geometry], reach_px: float = 40) -> Painting:
    return paint([PaintedRegion(name, area) for name, area in regions], GRID, reach_px, FILE)


def test_cells_are_painted_by_their_middle() -> None:
    painting = painted(("Blood", shapely.box(16, 8, 43, 20)))
    expected = np.full(GRID.shape, NOTHING)
    expected[1:2, 2:5] = 0  # middles at 20, 28 and 36 px across, and at 12 px down; 20 px down is the border
    assert np.array_equal(painting.places, expected)
    assert painting.labels.tolist() == [label_of(TISSUE, "Blood")]


def test_cells_of_several_classes_are_of_none() -> None:
    painting = painted(
        ("Blood", shapely.box(0, 0, 80, 80)),
        ("Stroma", shapely.box(40, 0, 120, 80)),
        ("Blood", shapely.box(0, 0, 60, 80)),
    )
    assert np.all(painting.places[:10, :5] == 0)
    assert np.all(painting.places[:10, 5:10] == SEVERAL)
    assert np.all(painting.places[:10, 10:15] == 1)


def test_close_regions_of_a_class_are_one_place() -> None:
    boxes = [shapely.box(left, 0, left + 40, 40) for left in (0, 70, 140, 300)]
    painting = painted(*(("Other", box) for box in boxes), ("Stroma", shapely.box(345, 0, 385, 40)))
    rows = painting.places[2, [1, 10, 19, 39, 45]]
    assert len(set(rows[:3])) == 1
    assert len({rows[0], rows[3], rows[4]}) == 3
    assert sorted(set(painting.places.ravel())) == [NOTHING, 0, 1, 2]


@pytest.mark.parametrize(
    "regions",
    [
        [("Other", shapely.box(1, 1, 3, 3))],
        [("Other", shapely.box(0, 0, 40, 40)), ("Stroma", shapely.box(0, 0, 40, 40))],
    ],
    ids=["too small", "painted over"],
)
def test_a_place_without_a_cell_is_refused(regions: list[tuple[str, shapely.Geometry]]) -> None:
    with pytest.raises(AnnotationUnusable, match=r"Other at x [01], y [01] in a.geojson .* 8 px alone"):
        painted(*regions)
