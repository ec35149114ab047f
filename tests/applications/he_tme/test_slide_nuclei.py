"""Nuclei of a whole slide: none cut, none double at the seams of tiles, the same whatever the number of processes."""

from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from coverslip.applications.he_tme.nuclei import Search, SlideNuclei, find_slide_nuclei
from coverslip.applications.he_tme.nucleus_tiles import TileGrid
from coverslip.models.nucleus_models import find_nuclei, open_nucleus_model
from coverslip.models.settings import ModelSettings, load_settings
from coverslip.pathology.classes import TISSUE_QC, label_of
from coverslip.pathology.nuclei.measuring import measure_nuclei
from coverslip.pathology.nuclei.outline_polygons import polygons_of
from coverslip.slides import open_slide
from coverslip.slides.phantom import PhantomOptions, write_phantom
from harness.tiny_models import write_typed_model

MPP, GLASS = 0.5, (243.0, 243.0, 243.0)
CELL_PX = 8
BESIDE_SEAM_PX = 30


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("phantom") / "phantom.tif"
    write_phantom(path, PhantomOptions(width_px=2048, height_px=2048, seed=3))
    return path


def search(phantom: Path, processes: int, told: list[float] | None = None) -> SlideNuclei:
    grid = TileGrid.over(2048, 2048, MPP, MPP)
    everywhere = np.full((2048 // CELL_PX, 2048 // CELL_PX), label_of(TISSUE_QC, "Valid Tissue"), np.uint8)
    tiles = list(grid.tiles(everywhere, CELL_PX))
    return find_slide_nuclei(
        Search(phantom, MPP, grid, GLASS), tiles, processes, (told if told is not None else []).append
    )


def test_the_number_of_processes_changes_nothing(phantom: Path) -> None:
    told: list[float] = []
    alone, together = search(phantom, 1, told), search(phantom, 2)
    assert np.array_equal(alone.centroids, together.centroids)
    assert np.array_equal(alone.features, together.features)
    assert np.array_equal(alone.outlines.vertices, together.outlines.vertices)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_nuclei_at_seams_are_found_whole_and_once(phantom: Path) -> None:
    """Compared with the same model over the whole slide at once, which has no seams."""
    found = polygons_of(search(phantom, 1).outlines)
    tree = shapely.STRtree(found)
    first, second = tree.query(found, predicate="intersects")
    shared = shapely.area(shapely.intersection(found[first], found[second]))
    smaller = np.minimum(shapely.area(found[first]), shapely.area(found[second]))
    assert not (shared > 0.5 * smaller)[first != second].any()

    with open_slide(phantom) as slide:
        rgb = slide.read_region(0, 0, 0, 2048, 2048)
    labels = find_nuclei(rgb, MPP, open_nucleus_model(None, ModelSettings(model_provider="cpu")))
    whole = measure_nuclei(rgb, labels, MPP, GLASS)
    seams = np.arange(1, 3) * TileGrid.over(2048, 2048, MPP, MPP).core_px
    beside = np.abs(whole.centroids[:, :, np.newaxis] - seams).min(axis=(1, 2)) < BESIDE_SEAM_PX
    expected = polygons_of(whole.outlines)[beside]
    assert len(expected) > 40
    one, other = tree.query(expected, predicate="intersects")
    overlap = shapely.area(shapely.intersection(expected[one], found[other]))
    union = shapely.area(shapely.union(expected[one], found[other]))
    matched = np.unique(one[overlap > 0.5 * union])
    # The network sees farther than a margin, so that a few borders between touching nuclei differ.
    assert len(matched) > 0.97 * len(expected)


@pytest.mark.parametrize("processes", [1, 2])
def test_types_stay_with_their_nuclei(
    processes: int, phantom: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_typed_model(tmp_path)
    monkeypatch.setenv("COVERSLIP_MODELS", str(tmp_path))
    monkeypatch.setenv("COVERSLIP_MODEL_NUCLEI", "typed")
    nuclei = search(phantom, processes)
    with open_slide(phantom) as slide:
        rgb = slide.read_region(0, 0, 0, 2048, 2048)
    whole = open_nucleus_model(None, load_settings()).find(rgb)
    distance, nearest = cKDTree(measure_nuclei(rgb, whole.labels, MPP, GLASS).centroids).query(nuclei.centroids)
    same = distance < 0.1
    assert same.sum() > 100
    assert whole.types is not None
    assert nuclei.types is not None
    assert len(nuclei.types) == len(nuclei.centroids)
    assert np.allclose(nuclei.types[same], whole.types[nearest[same]], atol=1e-5)
    assert len(set(nuclei.types.argmax(axis=1))) == 2


def test_only_tiles_with_valid_tissue_are_searched() -> None:
    grid = TileGrid.over(5000, 3000, MPP, MPP)
    quality = np.full((375, 625), label_of(TISSUE_QC, "No Tissue"), np.uint8)
    quality[200, 300] = label_of(TISSUE_QC, "Valid Tissue")
    (tile,) = grid.tiles(quality, CELL_PX)
    assert tile.core == (2400, 1600, 2408, 1608)


@given(
    arrays(np.bool_, st.tuples(st.integers(1, 40), st.integers(1, 40))),
    st.integers(1, 9),
    st.integers(1, 30),
    st.integers(0, 3),
)
def test_cores_hold_all_valid_tissue_and_do_not_overlap(
    valid: NDArray[np.bool_], cell_px: int, core_px: int, cut: int
) -> None:
    height_px, width_px = (max(1, length * cell_px - cut) for length in valid.shape)
    quality = np.where(valid, label_of(TISSUE_QC, "Valid Tissue"), label_of(TISSUE_QC, "No Tissue")).astype(np.uint8)
    covered = np.zeros((height_px, width_px), int)
    for tile in TileGrid(width_px, height_px, 1.0, core_px, 0).tiles(quality, cell_px):
        left, top, right, bottom = tile.core
        assert 0 <= left < right <= width_px
        assert 0 <= top < bottom <= height_px
        assert max(right - left, bottom - top) <= core_px
        covered[top:bottom, left:right] += 1
    pixels = valid.repeat(cell_px, axis=0).repeat(cell_px, axis=1)[:height_px, :width_px]
    assert covered.max(initial=0) <= 1
    assert (covered[pixels] == 1).all()


@pytest.mark.parametrize(
    ("mpp", "downsample"), [(0.25, 2.0), (0.08, 6.25), (0.499, 1.0), (0.46, 1.0), (0.55, 1.0), (1.0, 0.5)]
)
def test_scans_are_brought_to_the_models_resolution(mpp: float, downsample: float) -> None:
    grid = TileGrid.over(10_000, 10_000, mpp, 0.5)
    assert grid.downsample == pytest.approx(downsample)
    assert round((grid.core_px + 2 * grid.margin_px) / grid.downsample) == pytest.approx(960, abs=1)
