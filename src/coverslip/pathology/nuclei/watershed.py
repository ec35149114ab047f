"""Split a mask along the valleys of a height map, except where the lower of two peaks hardly rises above the valley.

Every pixel climbs to its highest neighbour until it stands on a peak; pixels of one peak are one part. Then parts are
merged over the highest passes first, while the lower peak rises above the pass by less than asked for.

Source: F. Chazal, L. J. Guibas, S. Y. Oudot, P. Skraba, Persistence-Based Clustering in Riemannian Manifolds, Journal
of the ACM 60(6), 2013, 41 (there for graphs; here for 8-connected pixels).
"""

import numpy as np
from numpy.typing import NDArray

NEIGHBOURS = tuple((row, column) for row in (-1, 0, 1) for column in (-1, 0, 1))
"""In the order of their place in memory: of equally high ones the first wins, so plateaus have a summit too."""
FORWARD = ((0, 1), (1, -1), (1, 0), (1, 1))
"""Each pair of neighbours once."""


def split_at_valleys(height: NDArray[np.float32], mask: NDArray[np.bool_], least_rise: float) -> NDArray[np.int32]:
    """Label the parts of a mask, int32 (h, w) from 1, 0 outside.

    Parameters
    ----------
    height
        float32 (h, w), finite; high inside of things.
    mask
        What to split (h, w). Pixels that touch only at a corner are connected.
    least_rise
        How far the lower of two peaks must rise above the pass between them for both to stay, in units of ``height``.
    """
    if not mask.any():
        return np.zeros(mask.shape, np.int32)
    framed = np.full((mask.shape[0] + 2, mask.shape[1] + 2), -np.inf, np.float32)
    framed[1:-1, 1:-1][mask] = height[mask]
    inside = np.flatnonzero(framed.ravel() > -np.inf)
    summit = _summits(framed, inside)
    peaks, part = np.unique(summit, return_inverse=True)
    parts = np.full(framed.size, -1, np.int32)
    parts[inside] = part
    merged = _merged(framed, parts.reshape(framed.shape), framed.ravel()[peaks], least_rise)
    labels = np.zeros(framed.size, np.int32)
    labels[inside] = merged[part] + 1
    return np.ascontiguousarray(labels.reshape(framed.shape)[1:-1, 1:-1])


def _summits(framed: NDArray[np.float32], inside: NDArray[np.int64]) -> NDArray[np.int64]:
    """The flat place of the peak that each inner pixel climbs to."""
    rows, columns = framed.shape
    best = np.full((rows - 2, columns - 2), -np.inf, np.float32)
    step = np.zeros(best.shape, np.int32)
    for row, column in NEIGHBOURS:
        neighbour = framed[1 + row : rows - 1 + row, 1 + column : columns - 1 + column]
        higher = neighbour > best
        np.copyto(best, neighbour, where=higher)
        np.copyto(step, row * columns + column, where=higher)
    above = np.arange(framed.size)
    above.reshape(framed.shape)[1:-1, 1:-1] += step
    summit = above[inside]
    while True:
        above[inside] = summit
        further = above[summit]
        if np.array_equal(further, summit):
            return summit
        summit = further


def _merged(
    framed: NDArray[np.float32], parts: NDArray[np.int32], peaks: NDArray[np.float32], least_rise: float
) -> NDArray[np.int64]:
    """For every part the number of the merged part that it belongs to, from 0 without gaps."""
    first, second, passes = _passes(framed, parts)
    owner = list(range(len(peaks)))
    height = peaks.tolist()

    def root(part: int) -> int:
        while owner[part] != part:
            owner[part] = owner[owner[part]]
            part = owner[part]
        return part

    for one, other, at in zip(first.tolist(), second.tolist(), passes.tolist(), strict=True):
        high, low = sorted((root(one), root(other)), key=lambda part: (-height[part], part))
        if high != low and height[low] - at < least_rise:
            owner[low] = high
    _, numbers = np.unique([root(part) for part in range(len(peaks))], return_inverse=True)
    return np.asarray(numbers, np.int64)


def _passes(
    framed: NDArray[np.float32], parts: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Pairs of parts that touch, with the height of the highest pass between them, highest first."""
    rows, columns = framed.shape
    pairs, heights = [], []
    for row, column in FORWARD:
        here = np.s_[0 : rows - row, max(0, -column) : columns - max(0, column)]
        there = np.s_[row:rows, max(0, column) : columns - max(0, -column)]
        border = (parts[here] != parts[there]) & (parts[here] >= 0) & (parts[there] >= 0)
        one, other = parts[here][border].astype(np.int64), parts[there][border].astype(np.int64)
        pairs.append(np.minimum(one, other) * parts.size + np.maximum(one, other))
        heights.append(np.minimum(framed[here][border], framed[there][border]))
    pair, height = np.concatenate(pairs), np.concatenate(heights)
    order = np.lexsort((-height, pair))
    unique, highest = np.unique(pair[order], return_index=True)
    height = height[order][highest]
    descending = np.lexsort((unique, -height))
    first, second = np.divmod(unique[descending], parts.size)
    return first, second, height[descending]
