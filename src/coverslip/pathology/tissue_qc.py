"""Tissue quality control: which parts of a slide can be analysed.

Everything is told by colour, sharpness and shape against the slide's own glass and stain, without training:

- *No Tissue*: no stain on the slide's own glass; greys count as none.
- *Marker*: ink that absorbs red more than green, as green and blue pens and surgical inks do and haematoxylin and
  eosin never; saturated red without texture (red pen); opaque strokes as broad as a pen's tip (black pen).
- *Tissue Artifact*: a *fold* is a band twice as dense as what is beside it, or a broad area more than twice as dense as
  the tissue of the slide; a *bubble or coverslip edge* is a long opaque line or ring;
  *debris* is any other opaque thing.
- *Out of Focus*: tissue whose finest detail is missing in relation to its coarser detail.
- *Valid Tissue*: all other tissue, with its clefts, lumina and fat cells.

It cannot tell faint red pen from eosin, thin black pen from other lines, tears, nor scanner seams, and takes very dense
tissue such as thick keratin for a fold.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.classes import TISSUE_QC, label_of
from coverslip.pathology.folds import find_folds
from coverslip.pathology.qc_evidence import Evidence
from coverslip.pathology.reference import SlideReference
from coverslip.pathology.regions import (
    Mask,
    closed,
    elongated,
    grown,
    opened,
    touching,
    without_small,
    without_small_holes,
)

ARTIFACT, NO_TISSUE, MARKER, OUT_OF_FOCUS, VALID = (
    label_of(TISSUE_QC, name) for name in ("Tissue Artifact", "No Tissue", "Marker", "Out of Focus", "Valid Tissue")
)
ARTIFACT_KINDS = ("fold", "bubble or coverslip edge", "debris")
"""Kinds of Tissue Artifact, in the order of their numbers 1, 2, 3."""
FOLD, EDGE, DEBRIS = 1, 2, 3

FOLD_RADIUS_UM = 16.0
DENSE_RATIO = 2.2
CLEFT_UM = 6.0
DARKENED_RATIO = 1.5
PEN_RADIUS_UM = 130.0
"""Slide pens draw 0.3 mm and more; the dark line of a coverslip's edge is finer."""
RED_RADIUS_UM = 30.0
RED_REACH_UM = 400.0
RED_RIM_UM = 12.0
LEAST_STROKE_UM = 800.0
MOST_STROKE_FILL = 0.5
"""Red ink lies in long strokes, blood that is out of focus, and so as smooth as ink, in pools."""
INK_GAP_UM = 100.0
PEN_RIM_UM = 40.0
EDGE_REACH_UM = 250.0
LEAST_EDGE_UM = 300.0
MOST_EDGE_FILL = 0.25
LEAST_TISSUE_UM2 = 4_000.0
LEAST_HOLE_UM2 = 12_000.0
"""Fat cells measure up to 120 µm across; larger gaps are glass."""
LEAST_INK_UM2 = 2_000.0
LEAST_OPAQUE_UM2 = 600.0
LEAST_BLUR_UM2 = 20_000.0
TISSUE_GAP_UM = 24.0


@dataclass(frozen=True)
class TissueQuality:
    """``labels``: classes of `TISSUE_QC`; ``kinds``: 1, 2, 3 for `ARTIFACT_KINDS` where the class is Tissue Artifact,
    else 0. Both uint8 (rows, columns)."""

    labels: NDArray[np.uint8]
    kinds: NDArray[np.uint8]


def judge_tissue_quality(
    evidence: NDArray[np.uint8], density: NDArray[np.uint8], reference: SlideReference, mpp: float
) -> TissueQuality:
    """Judge a whole slide from the signs in its cells.

    Parameters
    ----------
    evidence
        `coverslip.pathology.qc_evidence.Evidence` (rows, columns).
    density
        Optical density in hundredths (rows, columns, 2): mean of all colours, and of red.
    reference
        The slide's own stain.
    mpp
        µm per grid cell.
    """

    def has(sign: Evidence) -> Mask:
        return (evidence & np.uint8(sign)) > 0

    kinds = np.zeros(evidence.shape, np.uint8)
    usual = reference.tissue_density
    stained, dense = has(Evidence.STAINED), density[..., 0] > 100 * max(DENSE_RATIO * usual, 0.5)
    opaque = without_small(has(Evidence.OPAQUE), LEAST_OPAQUE_UM2, mpp)
    dark = opaque | _rim(has(Evidence.GREY), opaque, mpp)
    marker = (
        _colored_ink(has(Evidence.INK), stained, density[..., 0], usual, mpp)
        | _red_ink(has(Evidence.RED), has(Evidence.SMOOTH_RED), mpp)
        | _black_ink(has(Evidence.DARK), dark, mpp)
    )
    dark &= ~marker
    tissue = closed(stained, TISSUE_GAP_UM, mpp) & ~dark
    tissue = without_small_holes(without_small(tissue | marker, LEAST_TISSUE_UM2, mpp), LEAST_HOLE_UM2, mpp)
    plain = tissue & ~marker & ~dark & ~has(Evidence.RED)

    fold = opened(dense & stained & plain, FOLD_RADIUS_UM, mpp)
    fold |= find_folds(density, plain & closed(stained, CLEFT_UM, mpp), usual, mpp)
    kinds[without_small(fold, LEAST_INK_UM2, mpp)] = FOLD
    kinds[dark] = DEBRIS
    kinds[elongated(dark, LEAST_EDGE_UM, MOST_EDGE_FILL, mpp)] = EDGE

    labels = np.where(tissue, VALID, NO_TISSUE).astype(np.uint8)
    blurred = without_small(closed(has(Evidence.BLURRED) & plain, 2 * mpp, mpp), LEAST_BLUR_UM2, mpp)
    labels[grown(blurred, mpp, mpp) & tissue] = OUT_OF_FOCUS
    labels[kinds > 0] = ARTIFACT
    labels[marker] = MARKER
    kinds[marker] = 0
    return TissueQuality(labels, kinds)


def _rim(grey: Mask, opaque: Mask, mpp: float) -> Mask:
    """The grey that goes with opaque things: their soft border, and cracks that run out from them."""
    return touching((grey & grown(opaque, EDGE_REACH_UM, mpp)) | opaque, opaque)


def _colored_ink(ink: Mask, stained: Mask, density: NDArray[np.uint8], usual: float, mpp: float) -> Mask:
    """Strokes with their faint rim. Where one crosses dense tissue its colour drowns, but both sides of it are seen."""
    strokes = without_small(closed(ink, 2 * mpp, mpp), LEAST_INK_UM2, mpp)
    return (
        strokes
        | (grown(strokes, mpp, mpp) & stained)
        | (closed(strokes, INK_GAP_UM, mpp) & (density > 100 * DARKENED_RATIO * usual))
    )


def _red_ink(red: Mask, smooth: Mask, mpp: float) -> Mask:
    seeds = opened(smooth, RED_RADIUS_UM, mpp)
    strokes = elongated(touching(red & grown(seeds, RED_REACH_UM, mpp), seeds), LEAST_STROKE_UM, MOST_STROKE_FILL, mpp)
    return closed(grown(strokes, RED_RIM_UM, mpp), INK_GAP_UM, mpp)


def _black_ink(dark: Mask, opaque: Mask, mpp: float) -> Mask:
    broad = opened(dark, PEN_RADIUS_UM, mpp)
    return (dark | opaque) & grown(broad, PEN_RIM_UM, mpp)
