"""The Test Application against phantoms, whose truth is known: worse than these floors is a step back."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from coverslip.applications.tissue_maps import OVERVIEW_PX, map_tissue
from coverslip.pathology.classes import TISSUE, TISSUE_QC, ClassColors, label_of
from coverslip.pathology.tissue_qc import ARTIFACT_KINDS
from coverslip.slides import open_slide
from coverslip.slides.phantom import PenColor, PhantomOptions, write_phantom

QC_FLOORS = {"Tissue Artifact": 0.7, "No Tissue": 0.95, "Marker": 0.94, "Out of Focus": 0.5, "Valid Tissue": 0.9}
TISSUE_FLOORS = {"Epithelial Tissue": 0.65, "Stroma": 0.88, "Other": 0.0, "Blood": 0.85}
"""Clusters of lymphocytes are Other in truth and epithelium to the application, so slides of the two vary."""
FOLD_FLOOR = 0.5
"""Folds of fat and of loose tissue are not found."""
LEAST_CELLS = 1000
"""Classes with less of a slide than this, 0.016 mm², are not scored."""


def dice(truth: NDArray[np.bool_], found: NDArray[np.bool_]) -> float:
    return float(2 * (truth & found).sum() / (truth.sum() + found.sum()))


def scores(truth: NDArray[np.uint8], found: NDArray[np.uint8], classes: ClassColors) -> dict[str, float]:
    labels = {name: label_of(classes, name) for name in classes}
    return {
        name: dice(truth == label, found == label)
        for name, label in labels.items()
        if (truth == label).sum() >= LEAST_CELLS
    }


@pytest.mark.parametrize(
    ("seed", "pen"),
    [(21, PenColor.GREEN), (22, PenColor.BLUE), (23, PenColor.BLACK), (24, PenColor.RED)],
)
def test_phantoms_are_told_apart(tmp_path: Path, seed: int, pen: PenColor) -> None:
    options = PhantomOptions(width_px=6144, height_px=6144, seed=seed, pen_color=pen)
    phantom = write_phantom(tmp_path / "phantom.tif", options, jobs=1)
    with open_slide(phantom.slide) as slide:
        maps = map_tissue(slide, 0.5, slide.thumbnail(OVERVIEW_PX), lambda _: None)
    assert maps.cell_px == phantom.label_px
    quality, tissue = tifffile.imread(phantom.tissue_qc, key=0), tifffile.imread(phantom.tissue, key=0)

    found = scores(quality, maps.quality.labels, TISSUE_QC)
    assert set(found) == set(TISSUE_QC)
    assert {name: score for name, score in found.items() if score < QC_FLOORS[name]} == {}
    # Tissue is judged where both say that it is valid.
    both = (tissue > 0) & (maps.tissue > 0)
    found = scores(tissue * both, maps.tissue * both, TISSUE)
    assert {"Epithelial Tissue", "Stroma"} <= set(found)
    assert {name: score for name, score in found.items() if score < TISSUE_FLOORS[name]} == {}


def test_kinds_of_artifact_are_found(tmp_path: Path) -> None:
    options = PhantomOptions(width_px=6144, height_px=6144, seed=23, pen_mark=False)
    phantom = write_phantom(tmp_path / "phantom.tif", options, jobs=1)
    with open_slide(phantom.slide) as slide:
        kinds = map_tissue(slide, 0.5, slide.thumbnail(OVERVIEW_PX), lambda _: None).quality.kinds
    found = {ARTIFACT_KINDS[kind - 1] for kind in np.unique(kinds) if kind}
    assert found == set(ARTIFACT_KINDS) - {"keratin flake"}  # phantoms have no skin


@pytest.mark.parametrize("seed", [21, 22, 25])
def test_folds_are_found(tmp_path: Path, seed: int) -> None:
    """By the difference to the same phantom without its fold, which would be tissue there."""
    found = []
    for fold in (True, False):
        options = PhantomOptions(width_px=6144, height_px=6144, seed=seed, pen_mark=False, blur_patch=False, fold=fold)
        phantom = write_phantom(tmp_path / f"{fold}.tif", options, jobs=1)
        with open_slide(phantom.slide) as slide:
            found.append(
                map_tissue(slide, 0.5, slide.thumbnail(OVERVIEW_PX), lambda _: None).quality.kinds
                == ARTIFACT_KINDS.index("fold") + 1
            )
        regions = json.loads(phantom.regions.read_text())["features"]
        assert any(region["properties"].get("kind") == "fold" for region in regions) == fold
        if fold:
            truth = np.zeros(found[0].shape, np.uint8)
            for region in regions:
                if region["properties"].get("kind") == "fold":
                    ring = np.array(region["geometry"]["coordinates"][0]) / phantom.label_px
                    cv2.fillPoly(truth, [np.rint(ring).astype(np.int32)], 1)
    assert dice(truth > 0, found[0]) > FOLD_FLOOR
    assert not found[1].any()


def test_a_phantom_without_defects_has_none(tmp_path: Path) -> None:
    options = PhantomOptions(
        width_px=6144, height_px=6144, seed=21, pen_mark=False, blur_patch=False, fold=False, bubble=False
    )
    phantom = write_phantom(tmp_path / "phantom.tif", options, jobs=1)
    with open_slide(phantom.slide) as slide:
        labels = map_tissue(slide, 0.5, slide.thumbnail(OVERVIEW_PX), lambda _: None).quality.labels
    defects = [label_of(TISSUE_QC, name) for name in ("Tissue Artifact", "Marker", "Out of Focus")]
    valid = (labels == label_of(TISSUE_QC, "Valid Tissue")).sum()
    assert np.isin(labels, defects).sum() < 0.01 * valid
