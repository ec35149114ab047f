"""What colour, stain and texture say about each cell of a coarse grid over an H&E image."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.regions import closed
from coverslip.pathology.stain import optical_density, stain_concentrations

Plane = NDArray[np.float32]
Pooling = Callable[[Plane], Plane]
"""Averages the pixels of each grid cell."""

BARE_DENSITY = 0.08
"""Mean optical density below which a pixel shows bare glass."""
STAIN_SIGMA_UM = 16.0
TEXTURE_SIGMA_UM = 24.0
FOCUS_SIGMA_UM = 24.0
COHERENCE_SIGMA_UM = 12.0
MOSTLY_BARE = 0.8
CLEFT_UM = 12.0
"""Clefts narrower than twice this belong to the tissue around them."""
FOCUS_MPP = 1.3
"""Coarsest resolution at which blur of a few µm can be told from sharpness."""
NOISE_DENSITY = 0.003
"""Mean absolute optical density of compression and camera noise."""
REACH_UM = 4 * TEXTURE_SIGMA_UM
"""No feature of a cell depends on pixels farther away: the margin that a tile needs."""


@dataclass(frozen=True)
class Features:
    """One value per grid cell; arrays are float32 (rows, columns), ``density`` (rows, columns, 3).

    Attributes
    ----------
    mpp
        Micrometres per grid cell.
    density
        Mean optical density of red, green and blue.
    bare
        Share of bare glass in the tissue nearby, 0 to 1.
    haematoxylin_share
        H / (H + E) of stained pixels nearby, 0 (all eosin) to 1.
    contrast
        Standard deviation of optical density nearby over its mean: low in cohesive sheets, high in loose tissue.
    sharpness
        Energy of detail below about 2 µm over that of detail of 2 to 6 µm; free of contrast and stain. Blur kills the
        first before the second. NaN where it cannot be told: no detail at all, or pixels coarser than `FOCUS_MPP`.
    coherence
        How much edges nearby run in one direction, 0 (none is preferred) to 1 (all are parallel): (a - b) / (a + b) of
        the eigenvalues of the structure tensor (J. Bigün, G. H. Granlund, Optimal orientation detection of linear
        symmetry, IEEE International Conference on Computer Vision, 1987, 433-438). NaN where pixels are coarser than
        `FOCUS_MPP`.
    """

    mpp: float
    density: Plane
    bare: Plane
    haematoxylin_share: Plane
    contrast: Plane
    sharpness: Plane
    coherence: Plane

    @property
    def mean_density(self) -> Plane:
        """Optical density averaged over the colours."""
        mean: Plane = self.density.mean(axis=2)
        return mean


def density_bytes(features: Features) -> NDArray[np.uint8]:
    """Optical density of red, green and blue in hundredths, uint8 (rows, columns, 3).

    Fine enough to judge a whole slide by, and small enough to keep.
    """
    return np.asarray(np.clip(np.rint(100 * features.density), 0, 255), np.uint8)


def measure(rgb: NDArray[np.uint8], mpp: float, pool: int, background: tuple[float, float, float]) -> Features:
    """Measure all features of an image.

    Parameters
    ----------
    rgb
        uint8 (h, w, 3); h and w are multiples of ``pool``.
    mpp
        Micrometres per pixel of ``rgb``; about 1 for all features.
    pool
        Pixels per grid cell along each axis.
    background
        Colour of bare glass.
    """
    rows, columns = rgb.shape[0] // pool, rgb.shape[1] // pool
    cell_mpp = mpp * pool

    def pooled(plane: Plane) -> Plane:
        return np.asarray(cv2.resize(plane, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)

    density = optical_density(rgb, background)
    mean = np.asarray(cv2.transform(density, np.full((1, 3), 1 / 3, np.float32)), np.float32).reshape(rgb.shape[:2])
    stains = np.maximum(stain_concentrations(density)[..., :2], 0)
    stained = (mean > BARE_DENSITY).astype(np.float32)
    bare = 1 - pooled(stained)
    # Glass outside the tissue says nothing about the tissue beside it, clefts within do.
    inside = closed(bare < MOSTLY_BARE, CLEFT_UM, cell_mpp).astype(np.float32)

    def nearby(plane: Plane, sigma_um: float) -> Plane:
        weight = np.maximum(_blurred(inside, sigma_um / cell_mpp), np.float32(1e-3))
        return np.asarray(_blurred(plane * inside, sigma_um / cell_mpp) / weight, np.float32)

    haematoxylin, eosin = (nearby(pooled(stains[..., i] * stained), STAIN_SIGMA_UM) for i in (0, 1))
    surroundings = nearby(pooled(mean), TEXTURE_SIGMA_UM)
    variance = nearby(pooled(mean * mean), TEXTURE_SIGMA_UM) - surroundings**2
    smooth = _blurred(mean, 1.0 / mpp)
    return Features(
        mpp=cell_mpp,
        density=pooled(density),
        bare=nearby(bare, STAIN_SIGMA_UM),
        haematoxylin_share=haematoxylin / (haematoxylin + eosin + 1e-3),
        contrast=np.sqrt(np.maximum(variance, 0)) / (surroundings + 0.02),
        sharpness=_sharpness(mean, smooth, mpp, pooled, cell_mpp),
        coherence=_coherence(smooth, mpp, pooled, cell_mpp),
    )


def _sharpness(mean: Plane, smooth: Plane, mpp: float, pooled: Pooling, cell_mpp: float) -> Plane:
    coarse_base = _blurred(mean, 3.0 / mpp)
    fine = _blurred(pooled(np.abs(mean - smooth)), FOCUS_SIGMA_UM / cell_mpp)
    coarse = _blurred(pooled(np.abs(smooth - coarse_base)), FOCUS_SIGMA_UM / cell_mpp)
    told = (coarse > NOISE_DENSITY) & (mpp <= FOCUS_MPP)
    return np.where(told, np.maximum(fine - NOISE_DENSITY, 0) / np.maximum(coarse, 1e-6), np.nan).astype(np.float32)


def _coherence(smooth: Plane, mpp: float, pooled: Pooling, cell_mpp: float) -> Plane:
    if mpp > FOCUS_MPP:
        return np.full_like(pooled(smooth), np.nan)
    across, down = cv2.Scharr(smooth, cv2.CV_32F, 1, 0), cv2.Scharr(smooth, cv2.CV_32F, 0, 1)
    products = (across * across, down * down, across * down)
    xx, yy, xy = (_blurred(pooled(product), COHERENCE_SIGMA_UM / cell_mpp) for product in products)
    return np.asarray(np.hypot(xx - yy, 2 * xy) / np.maximum(xx + yy, 1e-6), np.float32)


def _blurred(plane: Plane, sigma_px: float) -> Plane:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT), np.float32)
