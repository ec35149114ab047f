"""Find keratin that lies loose: the horn of epidermis with the flakes that come off it.

Cornified cells are flat, without nuclei and packed with keratin (L. Eckhart et al., Cell death by cornification,
Biochimica et Biophysica Acta 1833(12), 2013, 3471-3480). In a section they make layers far denser than living
epithelium, which tear into lamellae with glass between them. Single cells of the grid cannot be told from crowded
nuclei or from torn tissue; what holds both signs, dense layers and shreds, is neither. So found is horn that frays.
Left as tissue are horn without shreds, in whorls and hair follicles, single flakes, and keratin that stained pink or
orange only: muscle and collagen look like it. Bounds were set on one slide of skin, with others as tissue without horn.
"""

import cv2

from coverslip.pathology.features import Features
from coverslip.pathology.reference import SlideReference
from coverslip.pathology.regions import Mask, closed, rich_in, without_small, without_small_holes

LEAST_HAEMATOXYLIN, LEAST_OF_REFERENCE = 0.5, 0.8
"""H / (H + E), also in terms of the tenth of the slide's tissue that is richest in it."""
DENSE_SIGMA_UM = 8.0
LEAST_DENSE = 1.7
"""In terms of the slide's median tissue, smoothed over a few nuclei; living epidermis reaches 1.4, horn 3."""
LEAST_COHERENCE = 0.3
"""Layers have 0.3 to 0.9, crowded nuclei 0.04 to 0.2."""
LEAST_BARE = 0.3
"""Share of glass between shreds. Pale tissue has it too: only beside dense layers does it tell keratin."""
LEAST_STAIN = 0.05
GAP_UM = 8.0
FILLED_UM = 24.0
"""Half the width of what between layers and shreds goes with them."""
LEAST_SHARE = 0.2
"""Of dense layers, and of shreds."""
LEAST_AREA_UM2 = 10_000.0
LEAST_HOLE_UM2 = 12_000.0


def keratin_signs(features: Features, reference: SlideReference) -> tuple[Mask, Mask]:
    """Cells of the grid that may be keratin: dense layers, and shreds amid glass; (rows, columns) each."""
    least_share = max(LEAST_HAEMATOXYLIN, LEAST_OF_REFERENCE * reference.haematoxylin_share)
    purple = (features.haematoxylin_share > least_share) & (features.mean_density > LEAST_STAIN)
    smooth = cv2.GaussianBlur(features.mean_density, (0, 0), DENSE_SIGMA_UM / features.mpp)
    dense = smooth > LEAST_DENSE * reference.tissue_density
    layers = purple & dense & (features.coherence > LEAST_COHERENCE)  # False where it cannot be told (NaN)
    return layers, purple & (features.bare > LEAST_BARE)


def find_keratin(layers: Mask, shreds: Mask, tissue: Mask, mpp: float) -> Mask:
    """Where horn frays.

    Parameters
    ----------
    layers, shreds
        See `keratin_signs`.
    tissue
        Where there is tissue without other defects (rows, columns).
    mpp
        µm per grid cell.
    """
    signs = (layers | shreds) & tissue
    things = without_small(closed(signs, GAP_UM, mpp), LEAST_AREA_UM2, mpp)
    keratin = rich_in(rich_in(things, layers & tissue, LEAST_SHARE), shreds & tissue, LEAST_SHARE)
    if not keratin.any():
        return keratin
    return without_small_holes(closed(keratin, FILLED_UM, mpp), LEAST_HOLE_UM2, mpp) & tissue
