"""Tissue classes on real images: glass, pen, blur, epidermis and dermis."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from coverslip.pathology.classes import TISSUE, TISSUE_QC, label_of
from coverslip.pathology.features import density_bytes, measure
from coverslip.pathology.qc_evidence import gather_evidence
from coverslip.pathology.reference import slide_reference
from coverslip.pathology.tissue_qc import ARTIFACT_KINDS, TissueQuality, judge_tissue_quality
from coverslip.pathology.tissue_segmentation import classify_tissue, clean_tissue
from coverslip.slides import open_slide
from coverslip.slides.resampling import read_downsampled

SHARED = Path(__file__).parents[3] / "shared"
QC_IMAGES = SHARED / "eval" / "qc"
Labels = NDArray[np.uint8]


def judge(rgb: NDArray[np.uint8], mpp: float, pool: int) -> TissueQuality:
    rgb = np.ascontiguousarray(rgb[: rgb.shape[0] // pool * pool, : rgb.shape[1] // pool * pool])
    reference = slide_reference(rgb)
    features = measure(rgb, mpp, pool, reference.background)
    return judge_tissue_quality(gather_evidence(features, reference), density_bytes(features), reference, mpp * pool)


def qc(rgb: NDArray[np.uint8], mpp: float, pool: int) -> Labels:
    return judge(rgb, mpp, pool).labels


def share(labels: Labels, name: str) -> float:
    return float((labels == label_of(TISSUE_QC, name)).mean())


def image(name: str) -> NDArray[np.uint8]:
    rgba = Image.open(QC_IMAGES / name).convert("RGBA")
    return np.asarray(Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB"))


@pytest.fixture(scope="module")
def skin() -> NDArray[np.uint8]:
    """CMU-1-Small-Region at 1 µm per pixel."""
    with open_slide(SHARED / "slides" / "CMU-1-Small-Region.svs") as slide:
        return read_downsampled(slide, 0, 0, slide.info.width_px, slide.info.height_px, 2.0)


@pytest.mark.parametrize("mpp", [8.0, 20.0, 32.0])
@pytest.mark.parametrize(
    ("name", "label", "least"),
    [("hqc_pen_green", "Marker", 0.9), ("hqc_coverslip_edge_he", "Tissue Artifact", 0.88)],
)
def test_defects_against_masks(name: str, label: str, least: float, mpp: float) -> None:
    """The images do not say their resolution, so whichever it may be must do."""
    found = qc(image(f"{name}.png"), mpp, 1) == label_of(TISSUE_QC, label)
    truth = np.asarray(Image.open(QC_IMAGES / f"{name}_mask.png").convert("L")) > 0
    assert 2 * (found & truth).sum() / (found.sum() + truth.sum()) > least


def test_coverslip_edge_is_told_from_debris() -> None:
    kinds = judge(image("hqc_coverslip_edge_he.png"), 8.0, 1).kinds
    assert (kinds == ARTIFACT_KINDS.index("bubble or coverslip edge") + 1).sum() > 0.95 * (kinds > 0).sum()


def test_black_pen_over_tissue_is_marker() -> None:
    """Rings of black pen in the middle of the tissue; the overview has about 40 µm per pixel."""
    labels = qc(image("diagnostic-slide-thumb-rgb.png"), 40.0, 1)
    for x, y in ((262, 330), (230, 350), (215, 330), (190, 385), (118, 145), (330, 300)):
        assert labels[y - 3 : y + 4, x - 3 : x + 4].min() <= label_of(TISSUE_QC, "Marker")
        assert (labels[y - 8 : y + 9, x - 8 : x + 9] == label_of(TISSUE_QC, "Marker")).any()
    assert labels[420, 250] == label_of(TISSUE_QC, "Valid Tissue")


def test_red_pen_is_marker_on_glass_and_tissue() -> None:
    """Strokes of pale and strong red in the same overview."""
    labels = qc(image("diagnostic-slide-thumb-rgb.png"), 40.0, 1)
    for x, y in ((455, 290), (425, 160), (45, 110), (300, 190), (130, 435), (390, 420)):
        assert (labels[y - 3 : y + 4, x - 3 : x + 4] == label_of(TISSUE_QC, "Marker")).any(), (x, y)


def test_real_folds_are_found_and_ducts_are_none() -> None:
    quality = judge(image("tcga-green-pen.png"), 4.0, 1)
    fold = quality.kinds == ARTIFACT_KINDS.index("fold") + 1
    assert fold[480:560, 105:130].any()
    assert not fold[320:420, 500:620].any()


def test_keratin_is_no_fold(skin: NDArray[np.uint8]) -> None:
    assert (judge(skin, 1.0, 4).kinds == ARTIFACT_KINDS.index("fold") + 1).sum() == 0


@pytest.mark.parametrize(
    ("name", "mpp", "least", "most"),
    [
        ("no-tissue-green-pen.png", 8.0, 0.65, 0.85),
        ("tcga-green-pen.png", 8.0, 0.12, 0.25),
        ("wsi-blue-pen.png", 8.0, 0.02, 0.05),
    ],
)
def test_pen_is_marker(name: str, mpp: float, least: float, most: float) -> None:
    assert least < share(qc(image(name), mpp, 1), "Marker") < most


@pytest.mark.parametrize("name", ["template1.png", "template2.png"])
def test_clean_tissue_has_no_defects(name: str) -> None:
    assert share(qc(image(name), 0.5, 8), "Valid Tissue") > 0.95


def test_glass_is_no_tissue() -> None:
    glass = np.random.default_rng(3).integers(238, 247, (400, 400, 3), np.uint8)
    assert share(qc(glass, 1.0, 4), "No Tissue") == 1
    shadow = np.repeat(np.linspace(120, 245, 400).astype(np.uint8)[:, np.newaxis], 400, axis=1)
    assert share(qc(np.dstack([shadow] * 3), 1.0, 4), "No Tissue") == 1


@pytest.mark.parametrize("sigma_um", [2.0, 4.0])
def test_blur_is_out_of_focus(skin: NDArray[np.uint8], sigma_um: float) -> None:
    sharp, blurred = qc(skin, 1.0, 4), qc(cv2.GaussianBlur(skin, (0, 0), sigma_um), 1.0, 4)
    assert share(sharp, "Out of Focus") == 0
    assert share(blurred, "Out of Focus") > 0.9 * (1 - share(blurred, "No Tissue"))


def test_epidermis_dermis_and_keratin_come_apart(skin: NDArray[np.uint8]) -> None:
    rgb = np.ascontiguousarray(skin[:1480, :1108])
    reference = slide_reference(rgb)
    features = measure(rgb, 1.0, 4, reference.background)
    quality = judge_tissue_quality(gather_evidence(features, reference), density_bytes(features), reference, 4.0)
    valid = quality.labels == label_of(TISSUE_QC, "Valid Tissue")
    labels = clean_tissue(classify_tissue(features, reference), valid, 4.0)

    def at(x_px: int, y_px: int) -> str:
        """The class at a level-0 position."""
        return list(TISSUE)[labels[y_px // 8, x_px // 8] - 1]

    assert at(1160, 1000) == at(1230, 2200) == at(620, 2800) == at(1650, 2600) == "Epithelial Tissue"
    assert at(900, 2700) == at(1000, 1250) == at(1600, 2150) == "Stroma"
    keratin = quality.kinds == ARTIFACT_KINDS.index("keratin flake") + 1
    assert keratin[1000 // 8, 1480 // 8]
    assert keratin[1480 // 8, 1380 // 8]
    assert labels[2000 // 8, 300 // 8] == 0
