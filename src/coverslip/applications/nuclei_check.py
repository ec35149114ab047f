"""Check a slide by the nuclei found on it: whether they can be as large, and as few, as its resolution makes them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from coverslip.applications.errors import UserError
from coverslip.pathology.nuclei.scale_check import ScaleFinding, are_sparse, judge_scale
from coverslip.slides.slide import SlideInfo

FINEST_USUAL_MPP = 0.15
"""Scanners give 0.17 to 0.28 µm per pixel at 40x; finer scans are few."""
UNRELIABLE_SOURCES = {"TIFF resolution"}
"""Where programs that know nothing of micrometres write what they like."""


def check_nuclei(
    areas_um2: NDArray[np.floating[Any]], valid_um2: float, info: SlideInfo, mpp: float, name: str
) -> list[str]:
    """Compare what was found with what tissue can be.

    Parameters
    ----------
    areas_um2
        Areas of all nuclei found (n,).
    valid_um2
        Area of the tissue that they were sought in.
    info
        What the slide says of itself.
    mpp
        Micrometres per level-0 pixel that areas rest on.
    name
        What its submitter calls the slide.

    Returns
    -------
    Sentences of doubt to record with the results.

    Raises
    ------
    UserError
        ``INPUT.MPP_IMPLAUSIBLE``.
    """
    doubts = []
    if mpp < FINEST_USUAL_MPP and UNRELIABLE_SOURCES.issuperset(info.mpp_sources):
        doubts.append(
            f"The resolution of {name} may be wrong: {mpp:.3g} µm per pixel is finer than scans at 40x, and not what a "
            "scanner wrote into the file. Areas, distances and densities are wrong with it."
        )
    if are_sparse(len(areas_um2), valid_um2):
        doubts.append(
            f"Hardly any nuclei were found on {name}: {len(areas_um2)} in {valid_um2 / 1e6:.2g} mm² of valid tissue. "
            "If it is not fat, cartilage or necrosis, look at its focus, its stain, and whether "
            f"{mpp:.3g} µm per pixel is right."
        )
    finding = judge_scale(areas_um2, mpp)
    if finding is not None:
        doubts.append(_doubt(finding, mpp, name))
    return doubts


def _doubt(finding: ScaleFinding, mpp: float, name: str) -> str:
    sizes = (
        f"half of the nuclei of {name} measure {'less' if finding.too_small else 'more'} than "
        f"{finding.median_area_um2:.0f} µm² at {mpp:.3g} µm per pixel"
    )
    if finding.impossible:
        raise UserError(
            "INPUT.MPP_IMPLAUSIBLE",
            f"The resolution cannot be right: {sizes}, which no tissue has. It is likelier to be about "
            f"{finding.likely_mpp:.2g}. Correct resolution_mpp, or the file, after the settings of the scan.",
        )
    return (
        f"The resolution may be wrong: {sizes}, which few tissues have. If it is not an unusual tumour, "
        f"about {finding.likely_mpp:.2g} is likelier; areas, distances and densities are wrong with it."
    )
