"""What a whole slide looks like on average, so that its parts are judged against their own glass and stain."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.stain import optical_density, stain_concentrations

USUAL_GLASS = (243.0, 243.0, 243.0)
LEAST_CHROMA = 0.05
"""Difference of optical density between colours below which a pixel counts as grey: glass, shadow, dirt."""

MOST_DENSITY = 0.7
"""Tissue is hardly denser in an overview, where nuclei are averaged with what is round them; black pen is."""


@dataclass(frozen=True)
class SlideReference:
    """``background``: colour of the glass; ``tissue_density``: median mean optical density of stained pixels;
    ``haematoxylin_share``: 90th percentile of their H / (H + E). The last two are 0 where nothing is stained."""

    background: tuple[float, float, float]
    tissue_density: float
    haematoxylin_share: float


def slide_reference(overview: NDArray[np.uint8]) -> SlideReference:
    """Take the reference from an overview of the slide, uint8 RGB (h, w, 3), of any resolution."""
    low, high = overview.min(axis=2), overview.max(axis=2)
    # Pure white is what stitching programs put where the scanner never was.
    glass = overview[(low > 200) & (high - low < 20) & (low < 254)]
    enough = len(glass) > low.size / 100
    red, green, blue = np.median(glass, axis=0).tolist() if enough else USUAL_GLASS
    density = optical_density(overview, (red, green, blue))
    mean = density.mean(axis=2)
    stained = (mean > 0.1) & (mean < MOST_DENSITY) & (np.ptp(density, axis=2) > LEAST_CHROMA) & is_hae(density)
    if not stained.any():
        return SlideReference((red, green, blue), 0.0, 0.0)
    stains = np.maximum(stain_concentrations(density)[stained][:, :2], 0)
    shares = stains[:, 0] / (stains.sum(axis=1) + 1e-3)
    return SlideReference(
        (red, green, blue), float(np.median(density[stained].mean(axis=1))), float(np.percentile(shares, 90))
    )


def is_hae(density: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where optical density (h, w, 3) can come from haematoxylin and eosin, which both absorb green most."""
    return np.asarray(density[..., 1] >= density[..., 0] - 0.02)
