"""Tissue quality control: which parts of a slide can be analysed.

Everything is told by colour and sharpness against the slide's own glass and stain, without training:

- *No Tissue*: no stain on the slide's own glass; greys count as none.
- *Marker*: ink that absorbs red more than green, as green and blue pens and surgical inks do and haematoxylin and
  eosin never.
- *Tissue Artifact*: opaque grey to black things (coverslip edge, rims of air bubbles, dirt, black pen), and folds:
  broad areas more than twice as dense as the tissue of the slide.
- *Out of Focus*: tissue whose finest detail is missing in relation to its coarser detail.
- *Valid Tissue*: all other tissue.

It cannot tell red pen from blood or black pen from other black things, nor thin folds, tears, air bubbles without a
dark rim, or scanner seams, and takes very dense tissue such as thick keratin for a fold.
"""

import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.classes import TISSUE_QC, label_of
from coverslip.pathology.features import Features
from coverslip.pathology.reference import LEAST_CHROMA, SlideReference
from coverslip.pathology.regions import Mask, closed, grown, opened, without_small, without_small_holes

ARTIFACT, NO_TISSUE, MARKER, OUT_OF_FOCUS, VALID = (
    label_of(TISSUE_QC, name) for name in ("Tissue Artifact", "No Tissue", "Marker", "Out of Focus", "Valid Tissue")
)

LEAST_TISSUE_DENSITY = 0.05
MARKER_EXCESS = 0.06
"""Optical density by which ink absorbs more red than green; haematoxylin absorbs 8 % less red than green."""
OPAQUE_DENSITY = 0.75
FOLD_RATIO = 2.2
FOLD_RADIUS_UM = 16.0
BLURRED_SHARPNESS = 0.28
"""A Gaussian blur of 1.3 µm takes sharp H&E from 0.66 .. 1.1 to this; nuclear detail is then gone."""
LEAST_TISSUE_UM2 = 4_000.0
LEAST_HOLE_UM2 = 1_000.0
LEAST_DEFECT_UM2 = 2_000.0
LEAST_BLUR_UM2 = 20_000.0
TISSUE_GAP_UM = 4.0


def classify_tissue_qc(features: Features, reference: SlideReference) -> NDArray[np.uint8]:
    """Label every grid cell with its class of `TISSUE_QC`: uint8 (rows, columns); see the module for how."""
    red, green = features.density[..., 0], features.density[..., 1]
    mean = features.mean_density
    chroma = np.ptp(features.density, axis=2)
    stained = (mean > LEAST_TISSUE_DENSITY) & (chroma > LEAST_CHROMA)
    opaque = (mean > OPAQUE_DENSITY) & (chroma < 0.3 * mean)
    ink = ((red - green > MARKER_EXCESS) & (red > 1.15 * green)) & ~opaque
    dense = mean > max(FOLD_RATIO * reference.tissue_density, 0.5)
    fold = opened(dense & stained, FOLD_RADIUS_UM, features.mpp)
    blurred = features.sharpness < BLURRED_SHARPNESS  # False where it cannot be told (NaN)

    labels = np.full(mean.shape, NO_TISSUE, np.uint8)
    labels[closed(stained, TISSUE_GAP_UM, features.mpp)] = VALID
    labels[(labels == VALID) & blurred] = OUT_OF_FOCUS
    labels[fold | opaque] = ARTIFACT
    labels[ink] = MARKER
    return labels


def clean_tissue_qc(labels: NDArray[np.uint8], mpp: float) -> NDArray[np.uint8]:
    """Drop specks, fill pinholes and join strokes in the labels of a whole slide; ``mpp`` is µm per grid cell."""
    tissue = without_small_holes(without_small(labels != NO_TISSUE, LEAST_TISSUE_UM2, mpp), LEAST_HOLE_UM2, mpp)
    cleaned = np.where(tissue, VALID, NO_TISSUE).astype(np.uint8)
    for label, least_um2 in ((OUT_OF_FOCUS, LEAST_BLUR_UM2), (ARTIFACT, LEAST_DEFECT_UM2), (MARKER, LEAST_DEFECT_UM2)):
        cleaned[_spread(labels == label, least_um2, mpp) & tissue] = label
    return cleaned


def _spread(defect: Mask, least_um2: float, mpp: float) -> Mask:
    """Whole defects with their faint rim: specks dropped, grown by one cell."""
    return grown(without_small(closed(defect, 2 * mpp, mpp), least_um2, mpp), mpp, mpp)
