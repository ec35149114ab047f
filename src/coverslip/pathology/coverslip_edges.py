"""Find edges of coverslips and bubbles: opaque lines and rings, and the cracks beside them."""

import cv2
import numpy as np

from coverslip.pathology.coarse import CoarseGrid
from coverslip.pathology.regions import Mask, closed, elongated, grown, opened, touching

WORK_UM = 16.0
LEAST_EDGE_UM = 300.0
MOST_EDGE_FILL = 0.25
SOFT_BORDER_UM = 250.0
CRACK_RADIUS_UM = 60.0
LEAST_CRACK_UM = 400.0
MOST_CRACK_FILL = 0.15
CRACK_REACH_UM = 2_000.0
"""Splinters of a broken edge lie within a few mm of it."""
LINE_GAP_UM = 100.0
LEAST_LINE_UM = 3_000.0
LEAST_SLENDERNESS = 16.0
"""Length over width."""
MOST_ASTRAY = 0.5
"""Standard deviation across a line in terms of its width: 0.29 in an even band along a parabola."""
MOST_BEND = 0.06
"""Height of the bow over its length."""
LEAST_BORDERS = 2


def with_soft_border(opaque: Mask, grey: Mask, mpp: float) -> Mask:
    """Opaque things with the grey that goes with them."""
    return touching((grey & grown(opaque, SOFT_BORDER_UM, mpp)) | opaque, opaque)


def find_edges(dark: Mask, mpp: float) -> Mask:
    """The long and narrow among dark things (rows, columns); ``mpp`` is µm per grid cell."""
    return elongated(dark, LEAST_EDGE_UM, MOST_EDGE_FILL, mpp)


def find_cracks(edges: Mask, grey: Mask, mpp: float) -> Mask:
    """Thin grey lines near edges, as of a broken coverslip."""
    if not edges.any():
        return edges
    thin = grey & ~opened(grey, CRACK_RADIUS_UM, mpp) & grown(edges, CRACK_REACH_UM, mpp)
    return thin & elongated(closed(thin, 2 * mpp, mpp), LEAST_CRACK_UM, MOST_CRACK_FILL, mpp)


def find_lines_across(opaque: Mask, mpp: float) -> Mask:
    """Opaque lines that cross the slide from border to border, straight but for a slight bow: edges of coverslips, even
    where they are as broad as a pen's stroke, which no hand draws so."""
    grid = CoarseGrid.over(opaque.shape, WORK_UM, mpp)
    things = closed(grid.share(opaque) > 0.5, LINE_GAP_UM, grid.mpp)
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(things.astype(np.uint8), connectivity=8)
    found = np.zeros_like(things)
    near, (rows, columns) = LINE_GAP_UM / grid.mpp, grid.shape
    for label, (left, top, width, height, area) in enumerate(statistics):
        borders = sum((left <= near, top <= near, left + width >= columns - near, top + height >= rows - near))
        longest = np.hypot(width, height)
        slender = longest * grid.mpp >= LEAST_LINE_UM and longest**2 >= LEAST_SLENDERNESS * area
        if label > 0 and slender and borders >= LEAST_BORDERS:
            here = np.s_[top : top + height, left : left + width]
            thing = labels[here] == label
            if _is_line(thing):
                found[here] |= thing
    return grid.full(found)


def _is_line(thing: Mask) -> bool:
    points = np.argwhere(thing).astype(float)
    points -= points.mean(axis=0)
    _, axes = np.linalg.eigh(points.T @ points)
    across, along = (points @ axes).T
    length = float(np.ptp(along)) + 1
    width = len(points) / length
    bow = np.polynomial.Polynomial.fit(along, across, 2)
    bend = float(np.ptp(bow(np.array([along.min(), 0.0, along.max()])))) / length
    astray = float((across - bow(along)).std()) / width
    return length >= LEAST_SLENDERNESS * width and astray <= MOST_ASTRAY and bend <= MOST_BEND
