"""What each cell of the grid says about the quality of the slide there, before its neighbours are asked."""

from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.features import Features
from coverslip.pathology.keratin import keratin_signs
from coverslip.pathology.reference import LEAST_CHROMA, SlideReference

LEAST_TISSUE_DENSITY = 0.05
MARKER_EXCESS = 0.06
"""Optical density by which ink absorbs more red than green; haematoxylin absorbs 8 % less red than green."""
OPAQUE_DENSITY = 0.65
OPAQUE_CHROMA, OPAQUE_PINK_CHROMA = 0.4, 0.22
PINK = 1.15
"""Ratio of green to the other colours: even folded twice, H&E absorbs green most, and dirt does not."""
OPAQUE_GREY = 0.62
"""Density that all colours have in common; the densest nuclei and keratin reach 0.55 at 4 µm."""
DARK_GREY = 0.36
GREY_DENSITY = 0.12
GREY_CHROMA = 0.35
RED_DENSITY = 0.42
RED_BLUE = 0.7
"""Eosin absorbs 0.55 to 0.68 as much blue as green, blood and red ink more."""
BLURRED_SHARPNESS = 0.28
"""A Gaussian blur of 1.3 µm takes sharp H&E from 0.66 .. 1.1 to this; nuclear detail is then gone."""


class Evidence(IntFlag):
    """Signs found in a cell, as bits of a uint16 map."""

    STAINED = 1
    """Coloured by stain or ink."""
    BLURRED = 2
    """Its finest detail is missing in relation to its coarser detail."""
    INK = 4
    """Absorbs red more than green, which haematoxylin and eosin never do."""
    RED = 8
    """Saturated red: blood or red ink."""
    OPAQUE = 16
    """Nearly no light of any colour comes through."""
    GREY = 32
    """Grey, and darker than the glass."""
    DARK = 64
    """Absorbs much of every colour; haematoxylin leaves blue, eosin leaves red."""
    LAYERED = 128
    """Purple, and in far denser layers than the slide's tissue."""
    SHREDDED = 256
    """Purple shreds with glass between them."""


def gather_evidence(features: Features, reference: SlideReference) -> NDArray[np.uint16]:
    """The `Evidence` of every grid cell of a slide with that ``reference``: uint16 (rows, columns)."""
    red, green, blue = (features.density[..., i] for i in range(3))
    mean = features.mean_density
    grey = features.density.min(axis=2)
    chroma = np.ptp(features.density, axis=2)
    pink = green > PINK * np.maximum(red, blue)
    opaque = (mean > OPAQUE_DENSITY) & (chroma < np.where(pink, OPAQUE_PINK_CHROMA, OPAQUE_CHROMA) * mean)
    opaque |= (grey > OPAQUE_GREY) & ~pink
    saturated = (green > RED_DENSITY) & (red < 0.25 * green) & (blue > RED_BLUE * green)
    stained = (mean > LEAST_TISSUE_DENSITY) & (chroma > LEAST_CHROMA)
    layered, shredded = keratin_signs(features, reference)
    signs = {
        Evidence.STAINED: stained,
        Evidence.BLURRED: features.sharpness < BLURRED_SHARPNESS,  # False where it cannot be told (NaN)
        Evidence.INK: (red - green > MARKER_EXCESS) & (red > 1.15 * green) & ~opaque,
        Evidence.RED: saturated,
        Evidence.OPAQUE: opaque,
        Evidence.GREY: opaque | ((mean > GREY_DENSITY) & (chroma < GREY_CHROMA * mean)),
        Evidence.DARK: opaque | (grey > DARK_GREY),
        Evidence.LAYERED: layered,
        Evidence.SHREDDED: shredded,
    }
    evidence = np.zeros(mean.shape, np.uint16)
    for sign, found in signs.items():
        evidence |= found.astype(np.uint16) * np.uint16(sign)
    return evidence
