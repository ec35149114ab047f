"""Tell from the sizes and the number of nuclei that a slide's resolution was stated wrongly.

A resolution stated twice too coarse makes all areas four times too large. Nuclei of different tissues differ by a
factor of six, and what finds nuclei expects their usual size and so hides a part of the error, or finds none. Only
gross cases are told, so that no tissue known to us is refused.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.nuclei.scale import NUCLEUS_RADIUS_UM

FEWEST_NUCLEI = 200
"""Fewer may all be of one lymphoid follicle, or all giant."""
USUAL_AREA_UM2 = (12.5, 72.0)
"""Range of a slide's median area. The lower is the least mean in sections of lymphoma (P. Tosi et al., Experimental
Pathology 24, 1983, 237-241: 12.5 to 37.5 µm²), the upper that of high-grade carcinoma in situ of the breast (P. H. Tan
et al., Modern Pathology 14, 2001, 937-941: 44, 48 and 72 µm² from low to high grade); other cells on a slide are
smaller."""
POSSIBLE_AREA_UM2 = (8.0, 125.0)
"""A disc of 3.2 µm, smaller than any nucleus but for its fragments, and one of 12.6 µm, which single giant cells
exceed, but not half of all cells."""

FEWEST_PER_MM2, LEAST_TISSUE_UM2 = 50.0, 250_000.0
"""Fat has about 100 fat cells of 100 µm in a mm², and vessels; most tissues have thousands of nuclei."""


@dataclass(frozen=True)
class ScaleFinding:
    """Nuclei of unusual size: ``median_area_um2`` at the stated resolution, ``likely_mpp`` that would make them usual,
    and whether no tissue is like that."""

    median_area_um2: float
    likely_mpp: float
    impossible: bool

    @property
    def too_small(self) -> bool:
        """Whether the nuclei are smaller than usual, and the resolution stated too fine."""
        return self.median_area_um2 < USUAL_AREA_UM2[0]


def judge_scale(areas_um2: NDArray[np.floating[Any]], mpp: float) -> ScaleFinding | None:
    """Compare nuclei with those of human tissue; None where they are as usual, or fewer than `FEWEST_NUCLEI`.

    Parameters
    ----------
    areas_um2
        Areas of nuclei (n,), as ``mpp`` has them.
    mpp
        Stated micrometres per level-0 pixel.
    """
    if len(areas_um2) < FEWEST_NUCLEI:
        return None
    median = float(np.median(areas_um2))
    if USUAL_AREA_UM2[0] <= median <= USUAL_AREA_UM2[1]:
        return None
    likely_mpp = mpp * NUCLEUS_RADIUS_UM * math.sqrt(math.pi / median)
    return ScaleFinding(median, likely_mpp, not POSSIBLE_AREA_UM2[0] <= median <= POSSIBLE_AREA_UM2[1])


def are_sparse(count: int, tissue_um2: float) -> bool:
    """Whether hardly any tissue has as few nuclei as ``count`` in that area; too little of it says nothing."""
    return tissue_um2 >= LEAST_TISSUE_UM2 and count * 1e6 < FEWEST_PER_MM2 * tissue_um2
