"""Tell from an overview that a slide cannot be H&E as it was scanned.

Light comes through an H&E slide: bare glass is bright, and what is stained absorbs green most. What breaks that is told
by physics and by how files hold colours, not by taste, so that pale, overstained, faded and inked slides pass:

- DAB, the brown of immunohistochemistry, absorbs blue most. Beside it there is haematoxylin, and no mixture of the two
  absorbs little red without absorbing blue most, as eosin does.
- Fluorescence, and images with their values inverted, have a dark ground.
- Luma and chroma (YCbCr) shown as if they were red, green and blue are coral: both chroma planes of a slide stay near
  their neutral 128 while luma varies. Colours converted from YCbCr that never were in it turn white into magenta.

Not told: immunohistochemistry with few positive cells; other stains whose colours H&E has too, such as PAS and Giemsa;
trichrome, which has the blue of pens; red and blue exchanged, which leaves green absorbed most.

Sources: A. C. Ruifrok, D. A. Johnston, Analytical and Quantitative Cytology and Histology 23(4), 2001, 291-299 (stain
vectors, see `coverslip.pathology.stain`); ITU-T T.871 (JFIF: YCbCr with neutral chroma at 128).
"""

from enum import Enum

import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.reference import LEAST_CHROMA
from coverslip.pathology.stain import optical_density

BRIGHT, LEAST_BRIGHT_SHARE, LEAST_BRIGHT_OF_DARK = 200, 0.01, 0.1
"""Glass and pale tissue are brighter in all colours. Only dense tissue cut out of its slide has none, perhaps amid
black padding; in an inverted image it is what was black."""

WHITE, LIGHT_PERCENTILE = 254, 98
STAINED_DENSITY = 0.1
"""Least mean optical density of what is looked at; paler, the tint of the lamp decides its colour."""
BROWN_RATIO = 1.05
"""Blue to green density: 1.36 in DAB; up to 0.9 in blood; 0.3 to 0.7 in haematoxylin and eosin."""
LEAST_BROWN_SHARE, LEAST_BROWN_AREA = 0.25, 0.005
"""Of the stained area, where yellowed glass under pale tissue gives up to 0.2, and of the whole overview, where very
pale tissue leaves dirt and pen alone."""
EOSIN_RED, EOSIN_BLUE = 0.6, 0.95
"""Ratios to green density below which only eosin can be. In a mixture of one part haematoxylin and x parts DAB red is
below 0.6 of green from x = 3.2 on, and blue above green from x = 2 on."""
MOST_EOSIN_SHARE = 0.1
"""Of the stained area, for brown to be immunohistochemistry: it is 0.2 to 1 in H&E, with melanin and saffron too."""

DARK, LEAST_DARK_SHARE = 60, 0.25
"""Highest value of red, green and blue; nuclei and pigment are brighter in an overview, and pen covers less."""
PADDING = 16
"""Below it nothing was scanned: files are filled up with black. What is cut out along an outline is mostly that."""
LEAST_GREEN_SHARE, LEAST_GREEN_SHARE_IF_DARK = 0.05, 0.5
"""Of what is lit: where green is absorbed most. Of an inverted image next to nothing, whether it shows glass or not."""

MOST_CHROMA_SPREAD, MOST_GREEN_SPREAD = 0.6, 0.3
"""Standard deviations of blue and green in those of red: up to 0.4 and 0.25 in YCbCr. In H&E green varies most; 0.4
is the least that a slide full of green ink has."""
NEUTRAL_CHROMA, MOST_CHROMA = 128, 48
FULL, MAGENTA_GREEN, LEAST_MAGENTA_SHARE = 250, (90, 160), 0.25
"""White taken for YCbCr becomes 255, 121, 255: a stain that takes half of the green takes some red or blue too."""

LEAST_COLOR_DIFFERENCE = 10
"""Between the colours of the most colourful hundredth; the palest H&E reaches 40, the tint of glass 6."""
LEAST_GREY_SHARE = 0.05
"""Of the overview, to be more than dust on bare glass."""


class StainFault(Enum):
    """Why a slide cannot be H&E as it was scanned."""

    BROWN = "brown as in immunohistochemistry, without eosin"
    DARK_GROUND = "dark where glass should be bright"
    GREY = "without any colour"
    CHROMA_AS_COLOR = "luma and chroma shown as red, green and blue"
    COLOR_AS_CHROMA = "red, green and blue converted as if they were luma and chroma"


def find_stain_fault(overview: NDArray[np.uint8]) -> StainFault | None:
    """Say what keeps a slide from being H&E, or None if it may be.

    Parameters
    ----------
    overview
        uint8 RGB (h, w, 3) of the whole slide, of any resolution.
    """
    density = optical_density(overview, _light(overview))
    dense = density.mean(axis=2) > STAINED_DENSITY
    if np.percentile(np.ptp(overview, axis=2), 99) < LEAST_COLOR_DIFFERENCE:
        return StainFault.GREY if dense.mean() >= LEAST_GREY_SHARE else None
    bright, dark = (overview.min(axis=2) > BRIGHT).mean(), (overview.max(axis=2) < DARK).mean()
    has_glass = bright >= max(LEAST_BRIGHT_SHARE, LEAST_BRIGHT_OF_DARK * dark)
    fault = None if has_glass else _fault_without_glass(overview.reshape(-1, 3))
    if fault is None and _is_brown(density, dense & (np.ptp(density, axis=2) > LEAST_CHROMA)):
        # Red and blue light on black passes for stain that absorbs green.
        return StainFault.BROWN if dark < LEAST_DARK_SHARE else StainFault.DARK_GROUND
    return fault


def _light(overview: NDArray[np.uint8]) -> tuple[float, float, float]:
    """The colour of the brightest hundredths, however dim and tinted the lamp; white padding left out."""
    scanned = overview[overview.min(axis=2) < WHITE]
    if len(scanned) == 0:
        return (WHITE, WHITE, WHITE)
    brightness = scanned.sum(axis=1, dtype=np.int32)
    red, green, blue = np.median(scanned[brightness >= np.percentile(brightness, LIGHT_PERCENTILE)], axis=0)
    return (max(float(red), 1.0), max(float(green), 1.0), max(float(blue), 1.0))


def _fault_without_glass(pixels: NDArray[np.uint8]) -> StainFault | None:
    red, green, blue = pixels.T
    magenta = (red >= FULL) & (blue >= FULL) & (green >= MAGENTA_GREEN[0]) & (green <= MAGENTA_GREEN[1])
    if magenta.mean() >= LEAST_MAGENTA_SHARE:
        return StainFault.COLOR_AS_CHROMA
    luma, *chroma = pixels.std(axis=0)
    neutral = np.abs(np.median(pixels[:, 1:], axis=0) - NEUTRAL_CHROMA) <= MOST_CHROMA
    if chroma[0] < MOST_GREEN_SPREAD * luma and chroma[1] < MOST_CHROMA_SPREAD * luma and neutral.all():
        return StainFault.CHROMA_AS_COLOR
    return StainFault.DARK_GROUND if _is_dark(pixels) else None


def _is_dark(pixels: NDArray[np.uint8]) -> bool:
    highest = pixels.max(axis=1)
    lit = pixels[highest >= PADDING]
    if len(lit) == 0:
        return True
    green_absorbed = float(((lit[:, 1] < lit[:, 0]) & (lit[:, 1] < lit[:, 2])).mean())
    if (highest < DARK).mean() < LEAST_DARK_SHARE:
        return green_absorbed < LEAST_GREEN_SHARE
    return green_absorbed < LEAST_GREEN_SHARE_IF_DARK or (lit.max(axis=1) < DARK).mean() >= LEAST_DARK_SHARE


def _is_brown(density: NDArray[np.float32], stained: NDArray[np.bool_]) -> bool:
    red, green, blue = density[stained].T
    brown = (blue > BROWN_RATIO * green) & (blue > red)
    eosin = (red < EOSIN_RED * green) & (blue < EOSIN_BLUE * green)
    enough = brown.sum() >= max(LEAST_BROWN_SHARE * brown.size, LEAST_BROWN_AREA * stained.size)
    return bool(enough and eosin.sum() < MOST_EOSIN_SHARE * eosin.size)
