"""Phantom slides: readable, the same again, seamless, and true to what is written beside them."""

import dataclasses
import importlib.util
import json
from pathlib import Path

import numpy as np
import openslide
import pytest
import shapely
import tifffile

from coverslip.pathology.classes import TISSUE, TISSUE_QC, label_of
from coverslip.slides import open_slide
from coverslip.slides.phantom import PhantomOptions, PhantomTruth, write_phantom
from coverslip.slides.phantom.errors import PhantomNeedsServer, PhantomNotWritable, PhantomOptionInvalid
from coverslip.slides.phantom.painting import BLOCK_PX, Painter


def files_of(truth: PhantomTruth) -> list[Path]:
    return [truth.slide, truth.regions, truth.nuclei, truth.tissue_qc, truth.tissue]


def test_slide_opens_with_size_resolution_and_pyramid(small: PhantomTruth) -> None:
    with open_slide(small.slide) as slide:
        info = slide.info
        assert (info.width_px, info.height_px, info.mpp) == (3700, 2900, pytest.approx(0.5))
        assert [(level.width_px, level.height_px) for level in info.levels] == [
            (3700, 2900), (1850, 1450), (925, 725), (463, 363), (232, 182),
        ]  # fmt: skip
        ours = slide.read_region(1000, 900, 0, 700, 600)
    with openslide.OpenSlide(small.slide) as reference:
        theirs = np.asarray(reference.read_region((1000, 900), 0, (700, 600)).convert("RGB"))
    np.testing.assert_array_equal(ours, theirs)


def test_levels_show_the_same_slide(small: PhantomTruth) -> None:
    with open_slide(small.slide) as slide:
        for level in range(1, len(slide.info.levels)):
            step = 2**level
            size = slide.info.levels[level]
            reduced = slide.read_region(0, 0, level, 2900 // step, 2900 // step).astype(float)
            whole = slide.read_region(0, 0, 0, 2900 // step * step, 2900 // step * step)
            means = whole.reshape(2900 // step, step, 2900 // step, step, 3).mean(axis=(1, 3))
            assert np.abs(reduced - means).mean() < 6, size


@pytest.mark.parametrize("mpp", [0.5, 0.25])
def test_the_same_seed_gives_the_same_bytes_with_any_number_of_processes(tmp_path: Path, mpp: float) -> None:
    options = PhantomOptions(width_px=2100, height_px=1300, mpp=mpp, seed=8)
    written = []
    for jobs in (1, 2):
        (tmp_path / str(jobs)).mkdir()
        truth = write_phantom(tmp_path / str(jobs) / "phantom.tif", options, jobs=jobs)
        written.append([path.read_bytes() for path in files_of(truth)])
    assert written[0] == written[1]
    other = write_phantom(tmp_path / "other.tif", dataclasses.replace(options, seed=9), jobs=1)
    assert other.slide.read_bytes() != written[0][0]


def test_blocks_meet_without_seams() -> None:
    """Where two blocks meet, pixels differ no more than side by side within a block."""
    painter = Painter(PhantomOptions(width_px=4096, height_px=4096, seed=5))
    left, right = painter.paint(1, 1), painter.paint(2, 1)
    assert left is not None
    assert right is not None
    both = np.hstack([left.rgb, right.rgb]).astype(int)
    steps = np.abs(np.diff(both, axis=1)).mean(axis=(0, 2))
    assert steps[BLOCK_PX - 1] < steps[BLOCK_PX - 60 : BLOCK_PX + 60].max() * 1.05


def test_defects_can_be_left_out_and_move_nothing_else() -> None:
    options = PhantomOptions(width_px=4096, height_px=4096, seed=5)
    plain = dataclasses.replace(options, pen_mark=False, blur_patch=False, fold=False, bubble=False)
    with_all, without = Painter(options).plan, Painter(plain).plan
    assert (without.pen, without.blur, without.fold, without.bubble, without.coverslip_edge) == (None,) * 5
    assert with_all.pen is not None
    assert with_all.islands == without.islands
    assert with_all.dust == without.dust


def test_region_truth_agrees_with_its_maps(small: PhantomTruth) -> None:
    features = json.loads(small.regions.read_text())["features"]
    for stage, path, classes, unlabelled in (
        ("tissue_qc", small.tissue_qc, TISSUE_QC, "No Tissue"),
        ("tissue_segmentation", small.tissue, TISSUE, None),
    ):
        labels = tifffile.imread(path, key=0)
        assert labels.shape == (-(-2900 // small.label_px), -(-3700 // small.label_px))
        for name in classes:
            if name == unlabelled:
                continue
            chosen = [f for f in features if f["properties"]["stage"] == stage]
            chosen = [f for f in chosen if f["properties"]["classification"]["name"] == name]
            polygons = [shapely.geometry.shape(f["geometry"]) for f in chosen]
            assert all(polygon.is_valid for polygon in polygons)
            # The last row and column of label pixels reach beyond the slide, to which polygons are cut.
            area = (labels == label_of(classes, name)).sum() * small.label_px**2
            assert sum(polygon.area for polygon in polygons) == pytest.approx(area, rel=0.02)
    kinds = {
        f["properties"]["kind"] for f in features if f["properties"]["classification"]["name"] == "Tissue Artifact"
    }
    assert kinds == {"fold", "bubble or coverslip edge", "debris"}
    quality = {f["properties"]["classification"]["name"] for f in features if f["properties"]["stage"] == "tissue_qc"}
    assert quality == set(TISSUE_QC) - {"No Tissue"}


def test_nuclei_are_dark_where_the_truth_says(small: PhantomTruth) -> None:
    features = [json.loads(line) for line in small.nuclei.read_text().splitlines()]
    count = dict.fromkeys(small.nucleus_count, 0)
    polygons = []
    for feature in features:
        count[feature["properties"]["classification"]["name"]] += 1
        polygons.append(shapely.geometry.shape(feature["geometry"]))
    assert count == small.nucleus_count
    assert min(count.values()) > 50
    # Outlines never cross: no nucleus is counted twice at the border of blocks.
    first, second = shapely.STRtree(polygons).query(polygons, predicate="overlaps")
    crossing = sum(polygons[a].intersection(polygons[b]).area for a, b in zip(first, second, strict=True) if a < b)
    assert crossing < 0.001 * sum(polygon.area for polygon in polygons)

    valid = tifffile.imread(small.tissue_qc, key=0) == label_of(TISSUE_QC, "Valid Tissue")
    with open_slide(small.slide) as slide:
        pixels = slide.read_region(0, 0, 0, 3700, 2900)
    inside, beside = [], []
    for polygon in polygons:
        x, y = polygon.centroid.coords[0]
        around = shapely.get_coordinates(shapely.affinity.scale(polygon, 2.2, 2.2)).astype(int)
        if valid[int(y) // small.label_px, int(x) // small.label_px]:
            inside.append(pixels[int(y), int(x), 0])
            ring = np.clip(around, 0, (3699, 2899))
            beside.append(np.median(pixels[ring[:, 1], ring[:, 0], 0]))
    darker = np.array(inside, float) < np.array(beside) - 20
    assert darker.mean() > 0.85  # in lymphocyte clusters, neighbours lie beside them


def test_empty_glass_is_painted_once() -> None:
    painter = Painter(PhantomOptions(width_px=40_000, height_px=40_000, bubble=False))
    assert painter.paint(0, 0) is None
    assert "textures" not in vars(painter)


@pytest.mark.parametrize(
    "wrong", [{"width_px": 100}, {"height_px": 100_001}, {"mpp": 0.3}, {"seed": -1}, {"seed": 2**32}]
)
def test_options_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(PhantomOptionInvalid, match=next(iter(wrong))):
        PhantomOptions(**wrong)  # type: ignore[arg-type]


def test_paths_that_cannot_be_written_are_told(tmp_path: Path) -> None:
    options = PhantomOptions(width_px=600, height_px=600)
    with pytest.raises(PhantomNotWritable, match="suffix"):
        write_phantom(tmp_path / "phantom.svs", options)
    with pytest.raises(PhantomNotWritable, match="No such file"):
        write_phantom(tmp_path / "missing" / "phantom.tif", options)


def test_missing_libraries_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr("coverslip.slides.phantom.find_spec", lambda name: None if name == "cv2" else real(name))
    with pytest.raises(PhantomNeedsServer, match=r"pip install 'coverslip\[server\]'"):
        write_phantom(tmp_path / "phantom.tif", PhantomOptions(width_px=600, height_px=600))
