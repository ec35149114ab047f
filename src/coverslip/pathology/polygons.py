"""Turn label maps into polygons: exact outlines along pixel edges, then smoothed together so that none overlap."""

from dataclasses import dataclass

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray

DIRECTIONS = np.array([(0, 1), (1, 0), (0, -1), (-1, 0)])
"""Rows and columns of one step east, south, west, north; each next one is a turn to the right."""
START_CORNERS = np.array([(1, 0), (0, 0), (0, 1), (1, 1)])
"""Corner of a pixel where its edge in each direction starts, the pixel lying to the left of the edge."""


@dataclass(frozen=True)
class Region:
    """A connected region of one label; ``polygon`` is in level-0 pixels and valid, holes included."""

    label: int
    polygon: shapely.Polygon


def regions_of(
    labels: NDArray[np.uint8], cell_px: int, width_px: int, height_px: int, tolerance_px: float = 0.0
) -> list[Region]:
    """Outline every 4-connected region of every label but 0.

    Parameters
    ----------
    labels
        uint8 (rows, columns) label map.
    cell_px
        Level-0 pixels per map pixel along each axis.
    width_px, height_px
        Size of the slide in level-0 pixels, to which the outlines are cut.
    tolerance_px
        0 keeps the edges of the map's pixels, so that areas are exact. Above it corners are rounded off by
        Visvalingam-Whyatt simplification of the whole coverage, which moves shared borders of neighbours alike;
        corners whose triangle is smaller than its square go.

    Returns
    -------
    Regions ordered by label, then by position. They do not overlap.
    """
    components = _components(labels)
    edges, following = _edges(components)
    rings, sizes = _rings(following)
    if not len(sizes):
        return []
    side, pixel = np.divmod(edges[rings], components.size)
    row, column = np.divmod(pixel, components.shape[1])
    # The component map has a margin of one pixel on each side.
    corners = np.stack([column, row], axis=1) + START_CORNERS[side][:, ::-1] - 1
    points = np.minimum(corners * cell_px, (width_px, height_px)).astype(float)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    owners = components.ravel()[pixel[starts]]
    ring_labels = labels[row[starts] - 1, column[starts] - 1]
    linear = shapely.linearrings(points, indices=np.repeat(np.arange(len(sizes)), sizes))
    return _assemble(linear, owners, ring_labels, tolerance_px)


def _components(labels: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Number the 4-connected regions of equal label from 1, with a margin of zeros round the map."""
    components = np.zeros((labels.shape[0] + 2, labels.shape[1] + 2), np.int32)
    inner = components[1:-1, 1:-1]
    total = 0
    for label in np.unique(labels[labels > 0]):
        mask = labels == label
        count, numbers = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
        inner[mask] = numbers[mask] + total
        total += count - 1
    return components


def _edges(components: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All pixel edges that bound a region, as direction * size + pixel, sorted; and where each one's successor stands.

    Going along an edge its region lies left. At its end it turns right if the region is ahead on the right, goes
    straight on if it is ahead on the left, and turns left otherwise. So a region that touches itself at a corner gives
    two rings that touch there, which is valid, and two regions that touch at a corner stay apart.
    """
    flat, width = components.ravel(), components.shape[1]
    steps = DIRECTIONS @ (width, 1)
    found, successors = [], []
    for direction in range(4):
        ahead, right = steps[direction], steps[(direction + 1) % 4]
        pixel = _differing(flat, int(right))
        owner = flat[pixel]
        turns_right = flat[pixel + ahead + right] == owner
        goes_straight = ~turns_right & (flat[pixel + ahead] == owner)
        found.append(direction * flat.size + pixel)
        successors.append(
            np.select(
                [turns_right, goes_straight],
                [
                    (direction + 1) % 4 * flat.size + pixel + ahead + right,
                    direction * flat.size + pixel + ahead,
                ],
                (direction - 1) % 4 * flat.size + pixel,
            )
        )
    edges = np.concatenate(found)
    return edges, np.searchsorted(edges, np.concatenate(successors))


def _differing(flat: NDArray[np.int32], step: int) -> NDArray[np.int64]:
    """Positions of a region whose pixel ``step`` further on is not of it. Only these few become 64-bit integers."""
    here, there = (flat[:-step], flat[step:]) if step > 0 else (flat[-step:], flat[:step])
    return np.flatnonzero((here != there) & (here > 0)) + max(0, -step)


def _rings(following: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[int]]:
    """Follow successors round every ring: positions ring by ring, and the length of each ring."""
    successor, seen = following.tolist(), bytearray(len(following))
    order: list[int] = []
    sizes: list[int] = []
    for start in range(len(successor)):
        before, position = len(order), start
        while not seen[position]:
            seen[position] = 1
            order.append(position)
            position = successor[position]
        if len(order) > before:
            sizes.append(len(order) - before)
    return np.array(order, np.int64), sizes


def _assemble(
    linear: NDArray[np.object_],
    owners: NDArray[np.int32],
    labels: NDArray[np.uint8],
    tolerance_px: float,
) -> list[Region]:
    """Put the rings of each owner together: one is its shell, the others its holes."""
    is_shell = ~shapely.is_ccw(linear)  # with y pointing down, a region on the left makes its outline clockwise
    order = np.lexsort((~is_shell, owners))
    groups = np.split(linear[order], np.flatnonzero(np.diff(owners[order])) + 1)
    polygons = np.array([shapely.Polygon(group[0], group[1:]) for group in groups], object)
    polygons = shapely.coverage_simplify(polygons, tolerance_px)
    label_at = dict(zip(owners.tolist(), labels.tolist(), strict=True))
    return [
        Region(label_at[owner], polygon) for owner, polygon in zip(np.unique(owners).tolist(), polygons, strict=True)
    ]
