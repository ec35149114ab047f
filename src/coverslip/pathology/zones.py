"""Zones of a tumour: its core, the margins inside and outside its border, and the tissue beyond.

The invasive margin is the belt 1 mm wide on the border between tumour and host tissue, half of it on either side
(S. Hendry et al., Assessing tumor-infiltrating lymphocytes in solid tumors: a practical review for pathologists, part
1, Advances in Anatomic Pathology 24, 2017, 235-251). The border to bare glass is none: there the section ends, not the
tumour.
"""

import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.classes import TISSUE, ClassColors, label_of
from coverslip.pathology.regions import Mask, closed, grown, touching, without_small, without_small_holes

ZONE: ClassColors = {
    "Tumor Core": (165, 15, 21),
    "Inner Invasive Margin": (251, 106, 74),
    "Outer Invasive Margin": (253, 212, 158),
    "Extratumoral": (158, 202, 225),
}
TUMOR_ZONES = ("Tumor Core", "Inner Invasive Margin")
"""The zones of `ZONE` inside the border of the tumour."""

MARGIN_UM = 500.0
NEST_GAP_UM = 100.0
"""Carcinoma nests with less than twice this between them belong to one tumour, and the stroma there is the tumour's."""
LEAST_TUMOR_UM2 = 50_000.0
"""About 250 µm across. A smaller tumour is as likely an error of the tissue map."""
ENCLOSED_UM2 = 250_000.0
"""A square of 500 µm. Host tissue that a tumour encloses belongs to it unless it is larger."""


def zone_map(tissue: NDArray[np.uint8], um_per_map_px: float) -> NDArray[np.uint8]:
    """The zone of each pixel of a tissue map.

    Parameters
    ----------
    tissue
        uint8 (rows, columns), labels of `TISSUE`.
    um_per_map_px
        Micrometres per pixel of the map.

    Returns
    -------
    uint8 (rows, columns), labels of `ZONE`; 0 where the tissue map is 0, all Extratumoral without carcinoma.
    """
    valid = tissue > 0
    tumor = _tumor(tissue, um_per_map_px) & valid
    host = valid & ~tumor
    zones = np.zeros(tissue.shape, np.uint8)
    zones[tumor] = label_of(ZONE, "Tumor Core")
    zones[host] = label_of(ZONE, "Extratumoral")
    zones[tumor & grown(host, MARGIN_UM, um_per_map_px)] = label_of(ZONE, "Inner Invasive Margin")
    zones[host & grown(tumor, MARGIN_UM, um_per_map_px)] = label_of(ZONE, "Outer Invasive Margin")
    return zones


def _tumor(tissue: NDArray[np.uint8], mpp: float) -> Mask:
    """Carcinoma and the necrosis beside it, with what lies between its nests."""
    carcinoma = tissue == label_of(TISSUE, "Carcinoma")
    nests = touching(carcinoma | (tissue == label_of(TISSUE, "Necrosis")), carcinoma)
    tumors = without_small(closed(nests, NEST_GAP_UM, mpp), LEAST_TUMOR_UM2, mpp)
    return without_small_holes(tumors, ENCLOSED_UM2, mpp)
