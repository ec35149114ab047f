"""Everything that is measured of nuclei: the columns of `coverslip.pathology.cells.NUCLEUS_FEATURES`."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.cells import NUCLEUS_FEATURES, Outlines
from coverslip.pathology.nuclei.contours import outlines_of
from coverslip.pathology.nuclei.shapes import shapes_of
from coverslip.pathology.nuclei.stains import stain_statistics


@dataclass(frozen=True)
class MeasuredNuclei:
    """``centroids``: float64 (n, 2), x and y in the pixels of the image; ``features``: float32 (n,
    len(NUCLEUS_FEATURES)); ``outlines`` in the pixels of the image."""

    centroids: NDArray[np.float64]
    features: NDArray[np.float32]
    outlines: Outlines


def measure_nuclei(
    rgb: NDArray[np.uint8], labels: NDArray[np.int32], mpp: float, background: tuple[float, float, float]
) -> MeasuredNuclei:
    """Outline and measure the instances 1 to n of ``labels`` (h, w), without gaps.

    ``rgb`` is uint8 (h, w, 3) of ``mpp`` µm per pixel, ``background`` the colour of bare glass in it.
    """
    outlines = outlines_of(labels)
    shapes = shapes_of(outlines)
    stains = stain_statistics(rgb, labels, mpp, background)
    columns = {
        "area_um2": shapes.area * mpp**2,
        "perimeter_um": shapes.perimeter * mpp,
        "roundness": shapes.roundness,
        "major_axis_um": shapes.major_axis * mpp,
        "minor_axis_um": shapes.minor_axis * mpp,
        "solidity": shapes.solidity,
        **vars(stains),
    }
    features = np.stack([columns[name] for name in NUCLEUS_FEATURES], axis=1).astype(np.float32)
    return MeasuredNuclei(shapes.centroids, features, outlines)
