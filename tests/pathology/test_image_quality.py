"""Tissue quality of plain images, whatever their resolution."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from coverslip.pathology.classes import TISSUE_QC, label_of
from coverslip.pathology.image_quality import judge_image
from coverslip.pathology.metrics import score_mask

QC_IMAGES = Path(__file__).parents[3] / "shared" / "eval" / "qc"
MPP = 8.0


@pytest.mark.parametrize(
    ("name", "class_name"), [("hqc_pen_green", "Marker"), ("hqc_coverslip_edge_he", "Tissue Artifact")]
)
@pytest.mark.parametrize("mpp", [3.1, 8.0, 10.0])
def test_defects_are_found_at_any_resolution(name: str, class_name: str, mpp: float) -> None:
    rgb = np.asarray(Image.open(QC_IMAGES / f"{name}.png").convert("RGB"))
    truth = np.asarray(Image.open(QC_IMAGES / f"{name}_mask.png").convert("L"))
    size = round(rgb.shape[1] * MPP / mpp), round(rgb.shape[0] * MPP / mpp)
    how = cv2.INTER_AREA if mpp > MPP else cv2.INTER_CUBIC
    labels = judge_image(cv2.resize(rgb, size, interpolation=how), mpp)
    assert labels.shape == size[::-1]
    mask = cv2.resize(truth, size, interpolation=cv2.INTER_NEAREST) > 0
    assert score_mask(mask, labels == label_of(TISSUE_QC, class_name)).dice > 0.85


def test_a_fine_image_is_judged_as_its_coarse_self() -> None:
    rgb = np.asarray(Image.open(QC_IMAGES / "hqc_pen_green.png").convert("RGB"))
    coarse = np.ascontiguousarray(rgb[300:555, 300:557])
    fine = np.repeat(np.repeat(coarse, 4, axis=0), 4, axis=1)
    assert (judge_image(fine, 0.25)[::4, ::4] == judge_image(coarse, 1.0)).mean() > 0.98
