"""Nuclei without a trained model: dark in haematoxylin, and split where they narrow.

The baseline that trained models must beat: haematoxylin by fixed stain vectors (`coverslip.pathology.stain`), smoothed,
thresholded, and split by the distance to the border.

Source of the threshold: N. Otsu, A Threshold Selection Method from Gray-Level Histograms, IEEE Transactions on Systems,
Man, and Cybernetics 9(1), 1979, 62-66.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.nuclei.necks import split_at_necks
from coverslip.pathology.nuclei.objects import without_small
from coverslip.pathology.nuclei.scale import LEAST_AREA_UM2, NUCLEUS_RADIUS_UM
from coverslip.pathology.regions import without_small_holes
from coverslip.pathology.stain import optical_density, stain_concentrations

SMOOTHING_UM = 0.4
"""Standard deviation of the Gaussian that smooths the stain."""
LEAST_HAEMATOXYLIN = 0.1
"""Optical density below which nothing is a nucleus, whatever Otsu's threshold: blank images have one too."""


def segment_classically(rgb: NDArray[np.uint8], mpp: float) -> NDArray[np.int32]:
    """Label the nuclei of an image.

    Parameters
    ----------
    rgb
        uint8 (h, w, 3), H&E.
    mpp
        Micrometres per pixel, about 0.2 to 0.6.

    Returns
    -------
    int32 (h, w), 0 background, nuclei from 1 without gaps.
    """
    haematoxylin = np.ascontiguousarray(stain_concentrations(optical_density(rgb))[..., 0])
    smooth = cv2.GaussianBlur(haematoxylin, (0, 0), SMOOTHING_UM / mpp)
    bytes_of_stain = np.clip(smooth * 255, 0, 255).astype(np.uint8)
    threshold, _ = cv2.threshold(bytes_of_stain, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    mask = smooth > max(threshold / 255, LEAST_HAEMATOXYLIN)
    mask = without_small_holes(mask, LEAST_AREA_UM2, mpp)
    return without_small(split_at_necks(mask, NUCLEUS_RADIUS_UM / mpp), LEAST_AREA_UM2 / mpp**2)
