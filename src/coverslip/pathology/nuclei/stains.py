"""What nuclei hold of the stains, and how unevenly."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.stain import WHITE, optical_density, stain_concentrations

TEXTURE_UM = 1.0
PERINUCLEAR_UM = 2.0


@dataclass(frozen=True)
class StainStatistics:
    """One value per instance, float64 (n,): means and standard deviation in optical density along the stain's vector;
    ``texture`` is the mean absolute difference of haematoxylin to its mean over about `TEXTURE_UM`; the perinuclear
    stains are those within `PERINUCLEAR_UM` around the nucleus, other nuclei left out, 0 where they leave nothing."""

    haematoxylin_mean: NDArray[np.float64]
    haematoxylin_sd: NDArray[np.float64]
    eosin_mean: NDArray[np.float64]
    texture: NDArray[np.float64]
    perinuclear_haematoxylin: NDArray[np.float64]
    perinuclear_eosin: NDArray[np.float64]


def stain_statistics(
    rgb: NDArray[np.uint8],
    labels: NDArray[np.int32],
    mpp: float,
    background: tuple[float, float, float] = WHITE,
) -> StainStatistics:
    """Measure the instances 1 to n of ``labels`` (h, w), without gaps, in an image (h, w, 3) of ``mpp`` µm per
    pixel."""
    stains = stain_concentrations(optical_density(rgb, background))
    haematoxylin, eosin = (np.ascontiguousarray(stains[..., i]) for i in (0, 1))
    fine = np.abs(haematoxylin - cv2.GaussianBlur(haematoxylin, (0, 0), TEXTURE_UM / mpp))
    nuclei, around = _Members(labels), _Members(_around(labels, PERINUCLEAR_UM / mpp))
    count = int(labels.max())
    average = nuclei.mean(haematoxylin, count)
    variance = nuclei.mean(haematoxylin * haematoxylin, count) - average**2
    return StainStatistics(
        haematoxylin_mean=average,
        haematoxylin_sd=np.sqrt(np.maximum(variance, 0)),
        eosin_mean=nuclei.mean(eosin, count),
        texture=nuclei.mean(fine, count),
        perinuclear_haematoxylin=around.mean(haematoxylin, count),
        perinuclear_eosin=around.mean(eosin, count),
    )


class _Members:
    """The pixels of instances."""

    def __init__(self, labels: NDArray[np.int32]) -> None:
        self._inside = labels > 0
        self._numbers = labels[self._inside] - 1

    def mean(self, plane: NDArray[np.float32], count: int) -> NDArray[np.float64]:
        """Of a plane over each of ``count`` instances; 0 for one without pixels."""
        size = np.maximum(np.bincount(self._numbers, minlength=count), 1)
        return np.asarray(np.bincount(self._numbers, plane[self._inside], count) / size)


def _around(labels: NDArray[np.int32], reach_px: float) -> NDArray[np.int32]:
    """Each instance's surroundings, labelled like it."""
    grown = labels.astype(np.float32)  # OpenCV dilates no integers of this size, and floats hold them exactly
    for _ in range(max(1, round(reach_px))):
        grown = np.where(grown > 0, grown, cv2.dilate(grown, np.ones((3, 3), np.uint8)))
    return np.where(labels > 0, 0, grown).astype(np.int32)
