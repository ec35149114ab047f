"""Find pen marks: strokes of green, blue, red and black ink, on bare glass and over tissue.

Each ink has a sign that stain never gives, and a weaker one that some stain gives too. As in hysteresis thresholding
(J. Canny, A computational approach to edge detection, IEEE Transactions on Pattern Analysis and Machine Intelligence
8(6), 1986, 679-698) the weaker counts where it goes on from the stronger: a stroke keeps its course where it runs from
glass over tissue, whose own density hides the clear sign.

- Green, blue and most surgical inks absorb red more than green, haematoxylin and eosin never do.
- Red ink absorbs green and no red, as eosin does, but on glass without any texture, and over tissue more than the
  slide's tissue does itself; it lies in strokes as broad as a pen. Blood and colloid lie in pools.
- Black ink absorbs all colours, and is broader than the dark line of a coverslip's edge.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.coarse import CoarseGrid, Plane
from coverslip.pathology.regions import Mask, closed, elongated, grown, opened, rich_in, touching, without_small

WORK_UM = 24.0
"""Slide pens draw 0.3 mm and more; red strokes, and where others go on, are sought at this resolution."""
PEN_RADIUS_UM = 130.0
"""The dark line of a coverslip's edge is finer."""
LEAST_INK_UM2 = 2_000.0
RIM_UM = 40.0
GAP_UM, OPAQUE_GAP_UM = 48.0, 100.0
EXCESS, BLACK_EXCESS = 0.20, 0.25
"""Density by which ink over tissue exceeds the median of the slide's tissue, which few parts in a hundred of it do."""
BLUE_SHARE = 0.8
"""Ratio of red to green density: 0.2 to 0.7 in tissue."""
REACH_UM, BLACK_REACH_UM = 400.0, 150.0
"""Dense epithelium beside black ink looks like it."""

TEXTURE_SIGMA_UM = 40.0
MOST_INK_TEXTURE = 0.13
LEAST_TISSUE_TEXTURE = 0.15
LEAST_TISSUE_DENSITY = 0.10
LEAST_RED_DENSITY = 0.22
PURE_RED = 0.25
"""Ratio of red to green density: 0.05 to 0.15 in red ink on glass, 0.2 and more in tissue, which holds haematoxylin."""
RED_SHARE = 0.6
"""The same for red ink over tissue."""
MOST_BLUE = 1.25
"""Ratio of blue to green density: 0.6 to 1.2 in red ink, more in brown ink and pigment."""
RED_SEED_RADIUS_UM = 60.0
RED_RADIUS_UM = 90.0
LEAST_SEED_SHARE = 0.04
LEAST_STROKE_UM = 800.0
MOST_STROKE_FILL = 0.5
RIM_SHARE = 0.5
LEAST_RIM_DENSITY = 0.08


@dataclass(frozen=True)
class InkSigns:
    """What single cells (rows, columns) say.

    ``colored``: red is absorbed more than green; ``dark``: much of every colour is absorbed; ``opaque``: hardly any
    light comes through; ``stained``: there is stain or ink.
    """

    colored: Mask
    dark: Mask
    opaque: Mask
    stained: Mask


def find_ink(signs: InkSigns, density: NDArray[np.uint8], mpp: float) -> Mask:
    """Where a pen has drawn.

    Parameters
    ----------
    signs
        What single cells say.
    density
        Optical density in hundredths (rows, columns, 3) of red, green, blue.
    mpp
        µm per grid cell.
    """
    grid = CoarseGrid.over(signs.stained.shape, WORK_UM, mpp)
    colors = grid.mean(density) / 100
    texture = _texture(density, colors, grid)
    colored, black = _colored(signs, mpp), _black(signs, mpp)
    usual = _usual_colors(colors, texture, grid.share(colored | black | signs.opaque))
    red, green, least = colors[..., 0], colors[..., 1], colors.min(axis=2)
    # Opaque things beside a stroke have both signs and are no ink.
    clear = grid.share(signs.opaque & ~black) < 0.3
    bluish = clear & (red > usual[0] + EXCESS) & (red > BLUE_SHARE * green)
    blackish = clear & (least > usual.min() + BLACK_EXCESS)
    colored |= _going_on(colored, bluish, REACH_UM, grid) & (density[..., 0] > 100 * (usual[0] + EXCESS / 2))
    # What the ink itself makes opaque lies amid it.
    colored |= closed(colored, OPAQUE_GAP_UM, mpp) & signs.opaque
    black |= _going_on(black, blackish, BLACK_REACH_UM, grid) & (density.min(axis=2) > 100 * (usual.min() + EXCESS / 2))
    strokes = _red_strokes(colors, texture, usual, grid)
    return colored | black | _with_rim(strokes, green - red, density, grid)


def _texture(density: NDArray[np.uint8], colors: Plane, grid: CoarseGrid) -> Plane:
    """Standard deviation of green density nearby over its mean: below 0.13 in ink on glass, 0.2 and more in tissue."""
    green = np.ascontiguousarray(density[..., 1])
    squares = grid.mean(np.asarray(cv2.multiply(green, green, dtype=cv2.CV_16U), np.uint16)) / 100**2
    sigma = max(1.0, TEXTURE_SIGMA_UM / grid.mpp)
    mean, square = (cv2.GaussianBlur(plane, (0, 0), sigma) for plane in (colors[..., 1].copy(), squares))
    return np.asarray(np.sqrt(np.maximum(square - mean * mean, 0)) / np.maximum(mean, 0.02), np.float32)


def _usual_colors(colors: Plane, texture: Plane, ink: Plane) -> Plane:
    """Median density of the slide's tissue in red, green and blue; 0.1 where there is none."""
    red, green = colors[..., 0], colors[..., 1]
    tissue = (green > LEAST_TISSUE_DENSITY) & (green > red) & (texture > LEAST_TISSUE_TEXTURE) & (ink < 0.1)
    return np.median(colors[tissue], axis=0) if tissue.any() else np.full(3, 0.1, np.float32)


def _colored(signs: InkSigns, mpp: float) -> Mask:
    """Strokes with their faint rim."""
    strokes = without_small(closed(signs.colored, 2 * mpp, mpp), LEAST_INK_UM2, mpp)
    return strokes | (grown(strokes, mpp, mpp) & signs.stained)


def _black(signs: InkSigns, mpp: float) -> Mask:
    broad = opened(signs.dark, PEN_RADIUS_UM, mpp)
    return (signs.dark | signs.opaque) & grown(broad, RIM_UM, mpp)


def _going_on(strokes: Mask, weak: Mask, reach_um: float, grid: CoarseGrid) -> Mask:
    """The weak sign where it goes on from strokes."""
    seeds = grid.share(strokes) > 0.5
    if not seeds.any():
        return np.zeros_like(strokes)
    near = weak & grown(seeds, reach_um, grid.mpp)
    return grid.full(closed(touching(near | seeds, seeds), GAP_UM, grid.mpp))


def _red_strokes(colors: Plane, texture: Plane, usual: Plane, grid: CoarseGrid) -> Mask:
    red, green, blue = colors[..., 0], colors[..., 1], colors[..., 2]
    pure = (green > LEAST_RED_DENSITY) & (red < PURE_RED * green) & (blue < MOST_BLUE * green)
    smooth = pure & (texture < MOST_INK_TEXTURE)
    over_tissue = (green - red > usual[1] - usual[0] + EXCESS) & (red < RED_SHARE * green)
    broad = opened(closed(smooth | over_tissue, GAP_UM, grid.mpp), RED_RADIUS_UM, grid.mpp)
    strokes = elongated(broad, LEAST_STROKE_UM, MOST_STROKE_FILL, grid.mpp)
    return rich_in(strokes, opened(smooth, RED_SEED_RADIUS_UM, grid.mpp), LEAST_SEED_SHARE)


def _with_rim(strokes: Mask, redness: Plane, density: NDArray[np.uint8], grid: CoarseGrid) -> Mask:
    """Strokes up to where their ink has faded to a part of its strength nearby, on the map."""
    if not strokes.any():
        return np.zeros(density.shape[:2], bool)
    sigma = max(1.0, RED_RADIUS_UM / grid.mpp)
    inside = strokes.astype(np.float32)
    strength = cv2.GaussianBlur(redness * inside, (0, 0), sigma) / (cv2.GaussianBlur(inside, (0, 0), sigma) + 1e-3)
    least = np.clip(100 * np.maximum(RIM_SHARE * strength, LEAST_RIM_DENSITY), 0, 255).astype(np.uint8)
    near = grid.full(grown(strokes, RED_RADIUS_UM, grid.mpp))
    ink = near & (cv2.subtract(density[..., 1], density[..., 0]) > grid.full_values(least))
    return touching(closed(ink, RIM_UM, grid.cell_mpp), grid.full(strokes))
