"""Score of masks: the Sørensen-Dice coefficient.

Source: L. R. Dice, Measures of the Amount of Ecologic Association Between Species, Ecology 26(3), 1945, 297-302.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.metrics.ratios import f1_score


@dataclass(frozen=True)
class MaskScore:
    """Pixels behind the score; add those of several images to pool them."""

    truth_px: int = 0
    found_px: int = 0
    shared_px: int = 0

    def __add__(self, other: "MaskScore") -> "MaskScore":
        return MaskScore(
            self.truth_px + other.truth_px, self.found_px + other.found_px, self.shared_px + other.shared_px
        )

    @property
    def dice(self) -> float:
        """Dice coefficient, 0 to 1: twice the shared pixels over those of both masks."""
        return f1_score(self.shared_px, self.truth_px, self.found_px)


def score_mask(truth: NDArray[np.bool_], found: NDArray[np.bool_]) -> MaskScore:
    """Compare two masks of one shape.

    Raises
    ------
    ValueError
        If their shapes differ.
    """
    if truth.shape != found.shape:
        raise ValueError(f"truth is {truth.shape} and found {found.shape}: masks must have one shape")
    return MaskScore(int(truth.sum()), int(found.sum()), int((truth & found).sum()))
