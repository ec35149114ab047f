"""Tissue classes from cells: what stain and texture leave open, the nuclei decide.

- *Epithelial Tissue* and *Stroma*: where enough nuclei lie close together, the share of epithelial ones among
epithelial
  and connective ones decides; elsewhere what stain and texture said stays. Leucocytes belong to neither.
- *Carcinoma*: on a slide submitted as one of a cancer, epithelial tissue whose nuclei are much larger than the
leucocytes'
  of the same slide. Pathologists grade nuclear size against such internal standards (C. W. Elston, I. O. Ellis,
  Histopathology 19, 1991, 403-410: up to, and beyond, twice normal). Size alone does not tell malignant from benign:
  the nuclei of normal epidermis are as large, so on other slides the class is not given.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.cell_groups import GROUPS
from coverslip.pathology.classes import TISSUE, label_of

CARCINOMA, EPITHELIUM, STROMA = (label_of(TISSUE, name) for name in ("Carcinoma", "Epithelial Tissue", "Stroma"))
CONNECTIVE, INFLAMMATORY, EPITHELIAL = range(len(GROUPS))

NEARBY_SIGMA_UM = 20.0
"""Of the window in which nuclei are counted: some tens of them in epithelium."""
FEWEST_PER_MM2 = 700.0
"""Nuclei that must lie around for them to decide; epithelium holds several thousand per mm²."""
EPITHELIAL_SHARE = 0.5
SIZE_SIGMA_UM = 60.0
SURE = 0.6
FEWEST_LEUCOCYTES = 30
USUAL_LEUCOCYTE_UM2 = 13.0
"""Area of a lymphocyte's nucleus in paraffin sections, where a slide shows too few to measure: the median of the
labelled inflammatory nuclei of the ovarian field that the classifier is trained on is 12 µm²."""
CARCINOMA_RATIO = 2.0
"""Mean area of epithelial nuclei, in areas of leucocytes' nuclei, from which they count as malignant."""

PROVENANCE = {
    "Carcinoma": "rule",
    "Epithelial Tissue": "rule",
    "Necrosis": "unvalidated",
    "Stroma": "rule",
    "Other": "rule",
    "Blood": "rule",
    "Vessel": "unvalidated",
}
"""How each class came to be: by ``rule``, or ``unvalidated``, which means never given."""


@dataclass(frozen=True)
class NucleusMap:
    """Where nuclei lie on the map of a slide.

    Attributes
    ----------
    rows, columns
        int64 (n,), of the map pixel under each nucleus.
    groups
        float32 (n, 3), probabilities of `GROUPS`.
    area_um2
        (n,), of the nuclei.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    groups: NDArray[np.float32]
    area_um2: NDArray[np.float32]


def classify_by_nuclei(
    tissue: NDArray[np.uint8], nuclei: NucleusMap, um_per_map_px: float, *, is_cancer: bool
) -> NDArray[np.uint8]:
    """Decide between epithelium, carcinoma and stroma, uint8 (rows, columns) of `TISSUE`; other labels stay.

    Parameters
    ----------
    tissue
        What stain and texture say, 0 outside valid tissue.
    is_cancer
        Whether the slide was submitted as one of a cancer.
    """
    open_to = np.isin(tissue, (EPITHELIUM, STROMA))
    places = np.ravel_multi_index((nuclei.rows, nuclei.columns), tissue.shape)

    def nearby(weights: NDArray[np.float32], sigma_um: float) -> NDArray[np.float32]:
        counted = np.bincount(places, weights, tissue.size).reshape(tissue.shape).astype(np.float32)
        return np.asarray(cv2.GaussianBlur(counted, (0, 0), sigma_um / um_per_map_px), np.float32)

    epithelial, connective = (nearby(nuclei.groups[:, group], NEARBY_SIGMA_UM) for group in (EPITHELIAL, CONNECTIVE))
    per_mm2 = (epithelial + connective) / um_per_map_px**2 * 1e6
    share = epithelial / np.maximum(epithelial + connective, 1e-9)
    labels = tissue.copy()
    decided = open_to & (per_mm2 > FEWEST_PER_MM2)
    labels[decided] = np.where(share[decided] > EPITHELIAL_SHARE, EPITHELIUM, STROMA)

    if is_cancer:
        sure = nuclei.groups[:, EPITHELIAL] * (nuclei.groups[:, EPITHELIAL] > SURE)
        size = nearby(sure * nuclei.area_um2, SIZE_SIGMA_UM) / np.maximum(nearby(sure, SIZE_SIGMA_UM), 1e-9)
        labels[(labels == EPITHELIUM) & (size > CARCINOMA_RATIO * leucocyte_area_um2(nuclei))] = CARCINOMA
    return labels


def leucocyte_area_um2(nuclei: NucleusMap) -> float:
    """Median area of the slide's nuclei that are surely inflammatory, or `USUAL_LEUCOCYTE_UM2` where they are few."""
    areas = nuclei.area_um2[nuclei.groups[:, INFLAMMATORY] > SURE]
    return float(np.median(areas)) if len(areas) >= FEWEST_LEUCOCYTES else USUAL_LEUCOCYTE_UM2
