"""Tissue without nuclei, on which composed fields are built."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.stain import stain_concentrations
from training.nuclei.fields import LabelledField
from training.nuclei.samples import SIDE_PX
from training.nuclei.staining import Density, density_of

MOST_NUCLEAR = 0.2
"""Share of a patch that may be nuclei, which are painted over with what is beside them."""


def tissue_grounds(fields: Sequence[LabelledField], slides: Sequence[NDArray[np.uint8]]) -> list[Density]:
    """Patches of optical density at least `SIDE_PX` wide, from labelled fields and from slides (h, w, 3) at 0.5
    µm/px."""
    grounds = [
        patch
        for field in fields
        if not field.single_stain
        for patch in _patches(field.rgb, cv2.dilate((field.labels > 0).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0)
    ]
    for rgb in slides:
        grounds += _patches(rgb, _dark(rgb))
    return grounds


def _dark(rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    haematoxylin = cv2.GaussianBlur(stain_concentrations(density_of(rgb))[..., 0], (0, 0), 1.0)
    nuclear = haematoxylin > cv2.GaussianBlur(haematoxylin, (0, 0), 12) + 0.1
    return cv2.dilate(nuclear.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0


def _patches(rgb: NDArray[np.uint8], nuclear: NDArray[np.bool_]) -> Iterator[Density]:
    step = SIDE_PX
    rows, columns = nuclear.shape
    for top in range(0, rows - step + 1, step // 2):
        for left in range(0, columns - step + 1, step // 2):
            here = np.s_[top : top + step, left : left + step]
            if nuclear[here].mean() < MOST_NUCLEAR and rgb[here].mean() < 235:
                filled = cv2.inpaint(
                    np.ascontiguousarray(rgb[here]), nuclear[here].astype(np.uint8), 3, cv2.INPAINT_TELEA
                )
                yield density_of(np.asarray(filled, np.uint8))
