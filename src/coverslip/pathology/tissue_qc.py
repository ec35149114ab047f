"""Tissue quality control: which parts of a slide can be analysed.

Everything is told by colour, sharpness and shape against the slide's own glass and stain, without training:

- *No Tissue*: no stain on the slide's own glass; greys count as none.
- *Marker*: strokes of a pen, see `coverslip.pathology.ink`.
- *Tissue Artifact*: a *fold* is a band with twice the stain of the tissue beside it, see `coverslip.pathology.folds`; a
  *bubble or coverslip edge* is a long opaque line or ring, see `coverslip.pathology.coverslip_edges`; *debris* is any
  other opaque thing; a *keratin flake* is horn that comes off in lamellae, see `coverslip.pathology.keratin`.
- *Out of Focus*: tissue whose finest detail is missing in relation to its coarser detail.
- *Valid Tissue*: all other tissue, with its clefts, lumina and fat cells.

It cannot tell faint red pen that lies wholly on tissue, thin black pen from other lines, what is folded over at the
border of a section, tears, nor scanner seams.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.classes import TISSUE_QC, label_of
from coverslip.pathology.coverslip_edges import find_cracks, find_edges, find_lines_across, with_soft_border
from coverslip.pathology.folds import find_folds
from coverslip.pathology.ink import InkSigns, find_ink
from coverslip.pathology.keratin import find_keratin
from coverslip.pathology.qc_evidence import Evidence
from coverslip.pathology.reference import SlideReference
from coverslip.pathology.regions import (
    Mask,
    closed,
    grown,
    opened,
    without_small,
    without_small_holes,
    without_specks,
)

ARTIFACT, NO_TISSUE, MARKER, OUT_OF_FOCUS, VALID = (
    label_of(TISSUE_QC, name) for name in ("Tissue Artifact", "No Tissue", "Marker", "Out of Focus", "Valid Tissue")
)
ARTIFACT_KINDS = ("fold", "bubble or coverslip edge", "debris", "keratin flake")
"""Kinds of Tissue Artifact, in the order of their numbers from 1."""
FOLD, EDGE, DEBRIS, KERATIN = 1, 2, 3, 4

CLEFT_UM = 6.0
FRINGE_UM, FRINGE_RADIUS_UM = 60.0, 24.0
"""Ink fades at the border of a stroke over some tens of µm, and stains what it fades into."""
SHADE_UM = 40.0
"""Opaque things darken the tissue beside them."""
LINE_BORDER_UM = 100.0
LEAST_TISSUE_UM2 = 4_000.0
LEAST_HOLE_UM2 = 12_000.0
"""Fat cells measure up to 120 µm across; larger gaps are glass."""
LEAST_OPAQUE_UM2 = 600.0
LEAST_BLUR_UM2 = 20_000.0
TISSUE_GAP_UM = 24.0
LEAST_REGION_UM2 = 1_000.0
"""About 36 µm across, as the smallest dust that shows in an overview. HistoQC drops tissue below 64 pixels at 1.25x,
4,100 µm² (A. Janowczyk et al., HistoQC: an open-source quality control tool for digital pathology slides, JCO Clinical
Cancer Informatics 3, 2019, 1-7)."""


@dataclass(frozen=True)
class TissueQuality:
    """``labels``: classes of `TISSUE_QC`; ``kinds``: numbers from 1 of `ARTIFACT_KINDS` where the class is Tissue
    Artifact, else 0. Both uint8 (rows, columns)."""

    labels: NDArray[np.uint8]
    kinds: NDArray[np.uint8]


def judge_tissue_quality(
    evidence: NDArray[np.uint16], density: NDArray[np.uint8], reference: SlideReference, mpp: float
) -> TissueQuality:
    """Judge a whole slide from the signs in its cells.

    Parameters
    ----------
    evidence
        `coverslip.pathology.qc_evidence.Evidence` (rows, columns).
    density
        Optical density in hundredths (rows, columns, 3) of red, green, blue.
    reference
        The slide's own stain.
    mpp
        µm per grid cell.
    """

    def has(sign: Evidence) -> Mask:
        return _has(evidence, sign)

    dark, marker = _dark_and_marker(evidence, density, mpp)
    tissue = closed(has(Evidence.STAINED), TISSUE_GAP_UM, mpp) & ~dark
    tissue = without_small_holes(without_small(tissue | marker, LEAST_TISSUE_UM2, mpp), LEAST_HOLE_UM2, mpp)
    marker |= _fringe(tissue & ~marker, marker, mpp)
    plain = tissue & ~marker & ~dark & ~has(Evidence.RED)
    unshaded = plain & ~grown(dark, SHADE_UM, mpp)
    blurred = without_small(closed(has(Evidence.BLURRED) & plain, 2 * mpp, mpp), LEAST_BLUR_UM2, mpp)

    labels = np.where(tissue, np.uint8(VALID), np.uint8(NO_TISSUE))
    labels[grown(blurred, mpp, mpp) & tissue] = OUT_OF_FOCUS
    # Kinds are labels of their own until regions too small to mean anything are gone.
    first_kind = len(TISSUE_QC)
    stained = unshaded & closed(has(Evidence.STAINED), CLEFT_UM, mpp)
    labels[find_folds(density, stained, reference.tissue_density, mpp)] = first_kind + FOLD
    keratin = find_keratin(has(Evidence.LAYERED), has(Evidence.SHREDDED), unshaded, mpp)
    labels[keratin] = first_kind + KERATIN
    labels[dark] = first_kind + DEBRIS
    labels[find_edges(dark, mpp)] = first_kind + EDGE
    labels[marker] = MARKER
    labels = without_specks(labels, LEAST_REGION_UM2, mpp)
    kinds = np.where(labels > first_kind, labels - np.uint8(first_kind), np.uint8(0))
    labels[kinds > 0] = ARTIFACT
    return TissueQuality(labels, kinds)


def _has(evidence: NDArray[np.uint16], sign: Evidence) -> Mask:
    return (evidence & np.uint16(sign)) > 0


def _fringe(tissue: Mask, marker: Mask, mpp: float) -> Mask:
    """What lies along a pen mark like tissue, but is too narrow for it."""
    return tissue & grown(marker, FRINGE_UM, mpp) & ~opened(tissue, FRINGE_RADIUS_UM, mpp)


def _dark_and_marker(evidence: NDArray[np.uint16], density: NDArray[np.uint8], mpp: float) -> tuple[Mask, Mask]:
    """Where something opaque lies, and where there is ink."""
    grey = _has(evidence, Evidence.GREY)
    opaque = without_small(_has(evidence, Evidence.OPAQUE), LEAST_OPAQUE_UM2, mpp)
    dark = with_soft_border(opaque, grey, mpp)
    apart = ~grown(find_lines_across(opaque, mpp), LINE_BORDER_UM, mpp)
    signs = InkSigns(
        colored=_has(evidence, Evidence.INK),
        dark=_has(evidence, Evidence.DARK) & apart,
        opaque=dark,
        stained=_has(evidence, Evidence.STAINED),
    )
    marker = find_ink(signs, density, mpp)
    dark = dark & ~marker
    return dark | find_cracks(find_edges(dark, mpp), grey & ~marker, mpp), marker
