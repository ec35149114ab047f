"""Colour deconvolution: how much haematoxylin and eosin a pixel holds.

Source: A. C. Ruifrok, D. A. Johnston, Quantification of histochemical staining by color deconvolution,
Analytical and Quantitative Cytology and Histology 23(4), 2001, 291-299.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

STAIN_VECTORS = np.array(
    [
        [0.650, 0.704, 0.286],  # haematoxylin
        [0.072, 0.990, 0.105],  # eosin
        [0.268, 0.570, 0.776],  # DAB, which takes up what is neither
    ]
)
"""Optical density of pure stains in red, green and blue, each of unit length (Ruifrok & Johnston 2001)."""

WHITE = (255.0, 255.0, 255.0)


def optical_density(rgb: NDArray[np.uint8], background: tuple[float, float, float] = WHITE) -> NDArray[np.float32]:
    """Optical density per channel, ``log10(background / value)`` (Beer-Lambert law), 0 where brighter than background.

    Parameters
    ----------
    rgb
        uint8 (h, w, 3).
    background
        Colour of bare glass in red, green, blue, each above 0.

    Returns
    -------
    float32 (h, w, 3), 0 to 2.41.
    """
    values = np.maximum(np.arange(256.0), 1.0)[:, np.newaxis]  # a black pixel has no logarithm
    table = np.maximum(np.log10(np.array(background)[np.newaxis] / values), 0.0).astype(np.float32)
    density: NDArray[np.float32] = cv2.LUT(np.ascontiguousarray(rgb), table[np.newaxis])
    return density


def stain_concentrations(density: NDArray[np.float32]) -> NDArray[np.float32]:
    """Concentrations of haematoxylin, eosin and the residual from optical density: float32 (h, w, 3), may be negative.

    The unit is the optical density along the stain's own vector.
    """
    unmix = np.linalg.inv(STAIN_VECTORS).T.astype(np.float32)
    concentrations: NDArray[np.float32] = cv2.transform(density, unmix)
    return concentrations
