"""Tissue segmentation of H&E by stain and texture, without training.

What it tells, inside valid tissue only:

- *Blood*: saturated red, absorbing blue nearly as much as green and hardly any red.
- *Epithelial Tissue*: cohesive tissue rich in haematoxylin. Where a slide holds so little haematoxylin that the stain
  says nothing, as in many frozen sections, cohesion alone decides.
- *Stroma*: tissue rich in eosin, or loose.
- *Other*: shreds with much glass between them (fat, keratin flakes, debris), and purple tissue far denser than the rest
  of the slide (keratin, crushed or overlapping cells).

What it cannot tell: carcinoma from other epithelium, necrosis, vessels; these classes are never given. Dense
inflammation, lymph nodes and muscle look like epithelium to it, and loosely arranged tumour looks like stroma.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.classes import TISSUE, label_of
from coverslip.pathology.features import Features
from coverslip.pathology.reference import SlideReference
from coverslip.pathology.regions import without_specks

EPITHELIUM, STROMA, OTHER, BLOOD = (
    label_of(TISSUE, name) for name in ("Epithelial Tissue", "Stroma", "Other", "Blood")
)

TELLING_HAEMATOXYLIN = 0.4
"""Haematoxylin share that a slide's tenth richest in it must reach for the stain to tell epithelium."""
EPITHELIAL_HAEMATOXYLIN = 0.46
EPITHELIAL_BARE = 0.15
COHESIVE_CONTRAST = 0.47
SHREDDED_BARE, PURPLE_SHREDDED_BARE = 0.4, 0.3
KERATIN_RATIO = 1.95
KERATIN_SIGMA_UM = 8.0
LEAST_REGION_UM2 = 2_500.0
"""A square of 50 µm, from which texture is gathered: smaller regions are noise."""


def classify_tissue(features: Features, reference: SlideReference) -> NDArray[np.uint8]:
    """Label every grid cell with its class of `TISSUE`: uint8 (rows, columns); see the module for how."""
    red, green, blue = (features.density[..., i] for i in range(3))
    purple = features.haematoxylin_share > EPITHELIAL_HAEMATOXYLIN
    if reference.haematoxylin_share >= TELLING_HAEMATOXYLIN:
        epithelial = purple & (features.bare < EPITHELIAL_BARE)
    else:
        epithelial = features.contrast < COHESIVE_CONTRAST
    dense = cv2.GaussianBlur(features.mean_density, (0, 0), KERATIN_SIGMA_UM / features.mpp)
    keratin = purple & (dense > KERATIN_RATIO * reference.tissue_density)
    shredded = (features.bare > SHREDDED_BARE) | (purple & (features.bare > PURPLE_SHREDDED_BARE))

    labels = np.where(epithelial, EPITHELIUM, STROMA).astype(np.uint8)
    labels[keratin | shredded] = OTHER
    labels[(green > 0.55) & (blue > 0.72 * green) & (red < 0.25 * green)] = BLOOD
    return labels


def clean_tissue(labels: NDArray[np.uint8], valid: NDArray[np.bool_], mpp: float) -> NDArray[np.uint8]:
    """Give regions too small to mean anything to the nearest large one, and 0 to all outside ``valid`` tissue."""
    return without_specks(np.where(valid, labels, 0).astype(np.uint8), LEAST_REGION_UM2, mpp)
