"""Results drawn over real pixels."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from coverslip.applications.errors import RegionOutside, ResultOfAnotherSlide
from coverslip.applications.overlay import draw_overlay
from coverslip.applications.overlay_layer import Layer
from coverslip.applications.result_files import Window
from coverslip.pathology.cells import Outlines
from coverslip.pathology.classes import CELL, TISSUE
from coverslip.slides import open_slide
from harness.results import cell_table, write_results

WIDTH_PX, HEIGHT_PX, MPP = 2220, 2967, 0.499


@pytest.fixture(scope="module")
def slide(slides: Path) -> Path:
    return slides / "CMU-1-Small-Region.svs"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One carcinoma cell, a square of 40 px at (1000, 1200), and three regions of tissue."""
    corners = np.array([(1000, 1200), (1040, 1200), (1040, 1240), (1000, 1240)], np.float32)
    cells = replace(cell_table(1), classes=np.ones(1, np.uint8), outlines=Outlines(corners, np.array([0, 4])))
    return write_results(tmp_path_factory.mktemp("results"), cells, WIDTH_PX, HEIGHT_PX, MPP)


def draw(
    slide: Path, results: Path, layers: list[Layer], region: Window | None = None, max_px: int = 4000
) -> NDArray[np.uint8]:
    with open_slide(slide) as opened:
        return draw_overlay(opened, slide.name, results, layers, region, max_px)


def pixels_of(slide: Path, region: Window) -> NDArray[np.uint8]:
    with open_slide(slide) as opened:
        return opened.read_region(region.x_px, region.y_px, 0, region.width_px, region.height_px)


def test_a_nucleus_is_outlined_where_it_is_and_nothing_else_changes(slide: Path, results: Path) -> None:
    region = Window(950, 1150, 200, 150)
    picture, pixels = draw(slide, results, [Layer.CELLS], region), pixels_of(slide, region)
    assert picture.shape[0] >= 150
    assert picture.shape[1] > 200
    shown = picture[:150, :200]
    changed = (shown != pixels).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert (columns.min(), columns.max()) == (pytest.approx(50, abs=1.5), pytest.approx(90, abs=1.5))
    assert (rows.min(), rows.max()) == (pytest.approx(50, abs=1.5), pytest.approx(90, abs=1.5))
    assert not changed[54:86, 54:86].any()
    assert np.abs(shown[49:51, 60:80].astype(int) - CELL["Carcinoma cell"]).sum(axis=2).min(axis=0).max() < 260


def test_small_nuclei_are_filled(slide: Path, results: Path) -> None:
    picture = draw(slide, results, [Layer.CELLS], Window(0, 0, WIDTH_PX, HEIGHT_PX), 297)
    x, y = 1020 // 10, 1220 // 10
    assert np.abs(picture[y, x].astype(int) - CELL["Carcinoma cell"]).max() < 30


def test_regions_are_tinted_and_the_hole_is_not(slide: Path, results: Path) -> None:
    region = Window(300, 500, 200, 100)  # stroma alone
    picture, pixels = draw(slide, results, [Layer.TISSUE], region), pixels_of(slide, region)
    expected = 0.7 * pixels + 0.3 * np.array(TISSUE["Stroma"])
    assert np.abs(picture[:100, :200] - expected).max() <= 1
    # The necrosis lies in a hole of the carcinoma, so it has its own colour alone.
    middle = Window(WIDTH_PX // 2 - 10, HEIGHT_PX // 2 - 10, 12, 12)
    expected = 0.7 * pixels_of(slide, middle) + 0.3 * np.array(TISSUE["Necrosis"])
    assert np.abs(draw(slide, results, [Layer.TISSUE], middle)[3:6, 3:6] - expected[3:6, 3:6]).max() <= 1


def test_the_legend_names_colours_and_has_room(slide: Path, results: Path) -> None:
    plain = draw(slide, results, [Layer.CELLS], Window(950, 1150, 200, 150))
    legend = plain[:, 200:]
    assert (legend == CELL["Carcinoma cell"]).all(axis=2).sum() > 80
    assert not (legend == CELL["Lymphocyte"]).all(axis=2).any()
    all_layers = draw(slide, results, list(Layer), Window(950, 1150, 200, 60))
    assert all_layers.shape[0] > 60
    assert (all_layers[60:, :200] == 255).all()


def test_nothing_in_view_still_gives_a_picture(slide: Path, results: Path) -> None:
    region = Window(0, 0, 10, 10)
    assert np.array_equal(draw(slide, results, [Layer.CELLS], region)[:10, :10], pixels_of(slide, region))


def test_a_region_is_cut_to_the_slide_or_refused(slide: Path, results: Path) -> None:
    picture = draw(slide, results, [Layer.CELLS], Window(2000, 2800, 5000, 5000))
    assert picture[:167, :220].std() > 0
    assert (picture[167:, :220] == 255).all()
    with pytest.raises(RegionOutside, match="2220 × 2967"):
        draw(slide, results, [Layer.CELLS], Window(2220, 0, 10, 10))


def test_results_of_another_slide_are_refused(slides: Path, results: Path) -> None:
    with pytest.raises(ResultOfAnotherSlide):
        draw(slides / "TCGA-LUAD_86-6562_volume_8mpp.dcm", results, [Layer.TISSUE])


def test_size_is_bounded(slide: Path, results: Path) -> None:
    picture = draw(slide, results, [Layer.TISSUE, Layer.CELLS], None, 300)
    assert picture.shape[0] == 300
