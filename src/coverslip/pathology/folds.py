"""Find folds: bands with about twice the stain, both of haematoxylin and of eosin, of the tissue on both sides of them.

As Kothari et al. 2013 (Eliminating tissue-fold artifacts in histopathological whole-slide images for improved
image-based prediction of cancer grade, Journal of Pathology Informatics 4:22) the clear parts of a fold are told by a
strict threshold, and where it goes on from them by a soft one. Compared is not with the slide's average, but with the
tissue beside: two layers hold twice its stain. Epithelium in stroma holds more haematoxylin but less eosin, bundles of
collagen the reverse.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.coarse import CoarseGrid, Plane
from coverslip.pathology.regions import Mask, closed, elongated, rich_in, without_small, without_small_holes

WORK_UM = 12.0
"""Folds are tens of µm wide; they are sought at this resolution."""
NEAR_UM, BESIDE_UM = 14.0, 25.0
"""Standard deviations of the smoothing on the band and beside it."""
DISTANCES_UM = (50.0, 100.0, 180.0)
"""From the middle of a fold to what is beside it: folds are up to 0.3 mm wide."""
DIRECTIONS = 8
LEAST_AMID = 0.6
"""Share of tissue on either side; the dense rim of a section and keratin have glass on one."""
LEAST_ALIKE = 0.7
"""Ratio of eosin on the paler side to that on the other: a fold runs through the same tissue, a border between two."""
STRICT_RATIO, SOFT_RATIO = 1.6, 1.3
"""To the denser side. Two layers hold twice the stain; smoothing across the band's border lowers the ratio."""
STRICT_DENSITY, SOFT_DENSITY = 1.5, 1.0
"""In terms of the slide's median tissue: septa in loose tissue are twice as dense as it, but no denser than usual."""
LEAST_GREEN = 1.1
"""Ratio of green to blue density; brown ink and pigment absorb blue most."""
LEAST_STRICT_SHARE = 0.25
GAP_UM = 18.0
LEAST_LENGTH_UM = 250.0
MOST_FILL = 0.3
LEAST_AREA_UM2 = 6_000.0
LEAST_HOLE_UM2 = 20_000.0
STRIP_ROWS = 512
"""Rows judged at a time, which bounds memory."""


def find_folds(density: NDArray[np.uint8], tissue: Mask, usual_density: float, mpp: float) -> Mask:
    """Where tissue is folded.

    Parameters
    ----------
    density
        Optical density in hundredths (rows, columns, 3) of red, green, blue.
    tissue
        Where there is tissue without other defects (rows, columns).
    usual_density
        Median density of the slide's tissue, mean of all colours.
    mpp
        µm per grid cell.
    """
    grid = CoarseGrid.over(tissue.shape, WORK_UM, mpp)
    inside = grid.share(tissue)
    colors = grid.mean(density * tissue[..., np.newaxis]) / 100
    strict, soft = np.zeros(grid.shape, bool), np.zeros(grid.shape, bool)
    margin = round((max(DISTANCES_UM) + 4 * BESIDE_UM) / grid.mpp)
    for top in range(0, grid.shape[0], STRIP_ROWS):
        strip = slice(top, min(top + STRIP_ROWS, grid.shape[0]))
        wide = slice(max(0, strip.start - margin), strip.stop + margin)
        inner = slice(strip.start - wide.start, strip.stop - wide.start)
        found = _bands(colors[wide], inside[wide], usual_density, grid.mpp)
        strict[strip], soft[strip] = (sign[inner] for sign in found)
    bands = without_small(closed(soft, GAP_UM, grid.mpp), LEAST_AREA_UM2, grid.mpp)
    # Only the border of a broad dense area is denser than its surroundings; filled, it is no band.
    bands = rich_in(without_small_holes(bands, LEAST_HOLE_UM2, grid.mpp), strict, LEAST_STRICT_SHARE)
    return grid.full(elongated(bands, LEAST_LENGTH_UM, MOST_FILL, grid.mpp)) & tissue


@dataclass(frozen=True)
class _Stain:
    """Smoothed density per area of tissue: ``red``, which haematoxylin absorbs, and ``pink``, green less red, which is
    eosin's. ``share``: how much of the surface is tissue."""

    red: Plane
    pink: Plane
    share: Plane

    @classmethod
    def smoothed(cls, colors: Plane, inside: Plane, sigma_px: float) -> "_Stain":
        def blurred(plane: Plane) -> Plane:
            return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT), np.float32)

        share = np.maximum(blurred(inside), np.float32(0.05))
        red, green = blurred(np.ascontiguousarray(colors[..., 0])), blurred(np.ascontiguousarray(colors[..., 1]))
        return cls(red / share, (green - red) / share, share)

    def beside(self, distance_px: float) -> Iterator[tuple["_Stain", "_Stain"]]:
        """What lies at a distance on either side, in all directions; beyond the border its reflection."""
        pad = round(distance_px) + 1
        rows, columns = self.share.shape
        planes = [np.pad(plane, pad, "symmetric") for plane in (self.red, self.pink, self.share)]
        for angle in np.pi * np.arange(DIRECTIONS) / DIRECTIONS:
            down, right = round(distance_px * np.sin(angle)), round(distance_px * np.cos(angle))
            one, other = (
                np.s_[pad + sign * down : pad + sign * down + rows, pad + sign * right : pad + sign * right + columns]
                for sign in (1, -1)
            )
            yield _Stain(*(plane[one] for plane in planes)), _Stain(*(plane[other] for plane in planes))


def _bands(colors: Plane, inside: Plane, usual_density: float, mpp: float) -> tuple[Mask, Mask]:
    """Where the signs of a fold are strict, and where they are soft."""
    near = _Stain.smoothed(colors, inside, NEAR_UM / mpp)
    around = _Stain.smoothed(colors, inside, BESIDE_UM / mpp)
    ratio = np.zeros_like(inside)
    for distance_um in DISTANCES_UM:
        for one, other in around.beside(max(distance_um / mpp, 2.0)):
            red, pink = np.maximum(one.red, other.red), np.maximum(one.pink, other.pink)
            between = np.minimum(one.share, other.share) > LEAST_AMID
            between &= np.minimum(one.pink, other.pink) > LEAST_ALIKE * pink
            here = np.minimum(near.red / np.maximum(red, 0.01), near.pink / np.maximum(pink, 0.01))
            np.maximum(ratio, here, out=ratio, where=between)
    density = cv2.GaussianBlur(colors.mean(axis=2), (0, 0), NEAR_UM / mpp) / near.share / max(usual_density, 0.01)
    stained = (inside > 0.5) & (colors[..., 1] > LEAST_GREEN * colors[..., 2])
    return (
        stained & (ratio > STRICT_RATIO) & (density > STRICT_DENSITY),
        stained & (ratio > SOFT_RATIO) & (density > SOFT_DENSITY),
    )
