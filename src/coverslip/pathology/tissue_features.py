"""What a trained classifier of tissue is told about each cell of the grid: colour and texture at several scales.

Everything is relative to the slide's own stain, and starts from planes smoothed over at least 8 µm, so that neither the
strength of the stain nor the size of the grid's cells (4 or 8 µm) matters much.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.features import Features
from coverslip.pathology.reference import SlideReference
from coverslip.pathology.stain import optical_density

Plane = NDArray[np.float32]
Smoothing = Callable[[Plane, float], Plane]

SCALES_UM = (8.0, 18.0, 36.0)
"""Standard deviations of the windows: a nucleus with its cytoplasm, a few cells, a gland."""
NEARBY_UM = 12.0
"""For planes that have gathered 96 µm already."""
GRAINS_UM = (1.0, 2.0, 4.0, 8.0)
"""Detail is told apart by its size, from one of these to the next: chromatin, small nuclei, large nuclei."""
GRAIN_SIGMA_UM = 24.0
FINE_UM = 4.0
LEAST_DENSITY = 0.05
"""Optical density of the tissue of a slide, so that an empty one divides by something."""
FAINT = 0.1
"""Optical density in that of the slide's tissue below which colour and texture say little."""

TISSUE_FEATURES = (
    *(f"{name}_{scale:.0f}um" for scale in SCALES_UM for name in ("density", "red_share", "blue_share")),
    *(f"{name}_spread_{scale:.0f}um" for scale in SCALES_UM[1:] for name in ("density", "red")),
    *(f"red_grain_{grain:.0f}um" for grain in GRAINS_UM[1:]),
    *("haematoxylin_share", "bare", "contrast"),
    *("haematoxylin_share_nearby", "bare_nearby", "contrast_nearby"),
)
"""Names of the columns of `tissue_features`. Haematoxylin is what absorbs red."""


def tissue_features(rgb: NDArray[np.uint8], features: Features, reference: SlideReference) -> Plane:
    """The `TISSUE_FEATURES` of every grid cell: float32 (rows, columns, features).

    No value depends on pixels farther away than 160 µm.

    Parameters
    ----------
    rgb
        uint8 (h, w, 3) of about 1 µm per pixel: a whole number of pixels for each grid cell and axis.
    features
        `coverslip.pathology.features.measure` of the same image.
    reference
        The slide's own glass and stain.
    """

    def smoothed(plane: Plane, sigma_um: float) -> Plane:
        return _blurred(plane, sigma_um / features.mpp)

    density = features.density / np.float32(max(reference.tissue_density, LEAST_DENSITY))
    gathered = (
        features.haematoxylin_share - np.float32(reference.haematoxylin_share),
        features.bare,
        features.contrast,
    )
    planes = [
        *_colours(density, smoothed),
        *_spreads(density, smoothed),
        *_grains(rgb, features, reference, smoothed),
        *gathered,
        *(smoothed(plane, NEARBY_UM) for plane in gathered),
    ]
    return np.stack(planes, axis=-1)


def _colours(density: Plane, smoothed: Smoothing) -> Iterator[Plane]:
    for scale_um in SCALES_UM:
        red, green, blue = (smoothed(density[..., channel], scale_um) for channel in range(3))
        total = red + green + blue + np.float32(FAINT)
        yield from (np.log(total), red / total, blue / total)


def _spreads(density: Plane, smoothed: Smoothing) -> Iterator[Plane]:
    """Standard deviations over their means."""
    for scale_um in SCALES_UM[1:]:
        for plane in (density.mean(axis=2), density[..., 0]):
            fine = smoothed(plane, FINE_UM)
            around = smoothed(fine, scale_um)
            variance = smoothed(fine * fine, scale_um) - around**2
            yield np.sqrt(np.maximum(variance, 0)) / (around + np.float32(FAINT))


def _grains(
    rgb: NDArray[np.uint8], features: Features, reference: SlideReference, smoothed: Smoothing
) -> Iterator[Plane]:
    """Root mean square of the red density's detail of each size over its mean."""
    rows, columns = features.bare.shape
    pixel_um = features.mpp * rows / rgb.shape[0]
    red = np.ascontiguousarray(optical_density(rgb, reference.background)[..., 0])

    def around(plane: Plane) -> Plane:
        pooled = cv2.resize(plane, (columns, rows), interpolation=cv2.INTER_AREA)
        return smoothed(np.asarray(pooled, np.float32), GRAIN_SIGMA_UM)

    mean = around(red) + np.float32(FAINT * max(reference.tissue_density, LEAST_DENSITY))
    for finer, coarser in pairwise(_blurred(red, grain_um / pixel_um) for grain_um in GRAINS_UM):
        detail = finer - coarser
        yield np.sqrt(np.maximum(around(detail * detail), 0)) / mean


def _blurred(plane: Plane, sigma_px: float) -> Plane:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT), np.float32)
