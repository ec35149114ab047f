"""Tissue quality of a plain image that fits into memory, at the image's own resolution."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.features import density_bytes, measure
from coverslip.pathology.qc_evidence import gather_evidence
from coverslip.pathology.reference import slide_reference
from coverslip.pathology.tissue_qc import judge_tissue_quality

PIXEL_UM = 1.0
"""Colour and texture are measured at this resolution, or at the image's where that is coarser."""
CELL_UM = 4.0
"""Aimed size of what is judged as one."""


def judge_image(rgb: NDArray[np.uint8], mpp: float) -> NDArray[np.uint8]:
    """The class of `coverslip.pathology.classes.TISSUE_QC` of every pixel: uint8 (h, w).

    Parameters
    ----------
    rgb
        uint8 (h, w, 3). The image is judged against its own glass and stain, so it should show some of both.
    mpp
        Micrometres per pixel, 0.25 to 10 and beyond. Blur can be told up to about 1.
    """
    reference = slide_reference(rgb)
    work = _reduced(rgb, PIXEL_UM / mpp)
    work_mpp = mpp * rgb.shape[1] / work.shape[1]
    pool = max(1, round(CELL_UM / work_mpp))
    rows, columns = work.shape[:2]
    framed = cv2.copyMakeBorder(work, 0, -rows % pool, 0, -columns % pool, cv2.BORDER_REPLICATE)
    features = measure(np.asarray(framed, np.uint8), work_mpp, pool, reference.background)
    evidence, density = gather_evidence(features, reference), density_bytes(features)
    labels = judge_tissue_quality(evidence, density, reference, work_mpp * pool).labels
    labels = np.repeat(np.repeat(labels, pool, axis=0), pool, axis=1)[:rows, :columns]
    full = cv2.resize(labels, rgb.shape[1::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(full, np.uint8)


def _reduced(rgb: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    """The image with pixels larger by a factor, each the mean of what it covers; unchanged up to a factor of 1."""
    if factor <= 1:
        return rgb
    size = math.ceil(rgb.shape[1] / factor), math.ceil(rgb.shape[0] / factor)
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
