"""The defects of a phantom over a window: where each lies and how strongly it shows."""

from dataclasses import dataclass, fields

import cv2
import numpy as np

from coverslip.slides.phantom.noise import Field, Grid, fractal_noise, smooth_noise
from coverslip.slides.phantom.plan import Blob, Plan, Stroke
from coverslip.slides.phantom.tissue import COARSE

SHOWS = 0.25
"""A defect that shows this strongly counts as one."""


@dataclass(frozen=True)
class Defects:
    """Fields (rows, columns) at the spacing of the masks, None where a defect is not in the window.

    ``pen``: ink, 0 to 1; ``fold``: how much of a second layer lies on the tissue, 0 to 1; ``blur``: how far out of
    focus, 0 to 1; ``edge``: optical density of the rim of the bubble and of the coverslip; ``dust``: that of debris.
    """

    pen: Field | None
    fold: Field | None
    blur: Field | None
    edge: Field | None
    dust: Field | None

    @property
    def none(self) -> bool:
        """Whether the window has no defect."""
        return all(getattr(self, field.name) is None for field in fields(self))


def defects_in(plan: Plan, seed: int, grid: Grid) -> Defects:
    """The defects of a window."""
    return Defects(
        pen=_shown(_pen(plan.pen, seed, grid)),
        fold=_shown(_fold(plan.fold, seed, grid)),
        blur=_shown(_blur(plan.blur, grid)),
        edge=_shown(_together(_rim(plan.bubble, seed, grid), _coverslip_edge(plan.coverslip_edge, seed, grid))),
        dust=_shown(_dust(plan.dust, seed, grid)),
    )


def _pen(stroke: Stroke | None, seed: int, grid: Grid) -> Field | None:
    distance = _distance(stroke, grid)
    if stroke is None or distance is None:
        return None
    half_um = stroke.width_um / 2
    ragged = distance + 0.04 * stroke.width_um * smooth_noise(grid, 90, seed, 40)
    ink = np.clip((half_um - ragged) / (0.12 * stroke.width_um) + 0.5, 0, 1)
    # Ink pools at the rim of a stroke and is thin where the tip was fast.
    pooled = 0.72 + 0.22 * np.clip(ragged / half_um, 0, 1) ** 3 + 0.10 * fractal_noise(grid, 350, 3, seed, 41)
    return np.asarray(ink * np.clip(pooled, 0.45, 1), np.float32)


def _fold(stroke: Stroke | None, seed: int, grid: Grid) -> Field | None:
    distance = _distance(stroke, grid)
    if stroke is None or distance is None:
        return None
    half_um = 0.5 * stroke.width_um * (1 + 0.25 * smooth_noise(grid, 200, seed, 42))
    return np.asarray(np.clip((half_um - distance) / 6 + 0.5, 0, 1), np.float32)


def _blur(blob: Blob | None, grid: Grid) -> Field | None:
    depth = _depth(blob, grid)
    return None if depth is None else np.clip(depth / 60 + 0.5, 0, 1)


def _rim(blob: Blob | None, seed: int, grid: Grid) -> Field | None:
    """A dark ring; light is bent away at the rim of an air bubble, more on the side that the lamp is not."""
    depth = _depth(blob, grid, 60)
    if blob is None or depth is None:
        return None
    side = 1 + 0.25 * smooth_noise(grid, 500, seed, 43)
    width_um = 18 * side
    ring = np.exp(-((depth / width_um) ** 2)) + 0.35 * np.exp(-(((depth - 45) / 5) ** 2))
    return np.asarray(1.15 * side * ring, np.float32)


def _coverslip_edge(stroke: Stroke | None, seed: int, grid: Grid) -> Field | None:
    """A band that is black at the glass' edge and fades to one side, with a thin crack beside it."""
    if stroke is None:
        return None
    at_um = np.interp(grid.y_um, stroke.points_um[:, 1], stroke.points_um[:, 0])
    offset = grid.x_um[np.newaxis, :] - at_um[:, np.newaxis]
    if offset.min() > 5 * stroke.width_um or offset.max() < -5 * stroke.width_um:
        return None
    offset = offset + 5 * smooth_noise(grid, 140, seed, 44) + 1.5 * smooth_noise(grid, 12, seed, 45)
    half_um = stroke.width_um / 2
    band = np.where(offset < 0, np.exp(-((offset / (0.6 * half_um)) ** 2)), np.exp(-((offset / half_um) ** 2)))
    crack = 0.8 * np.exp(-(((offset - 3.2 * half_um) / 9) ** 2))
    return np.asarray(1.3 * band + crack, np.float32)


def _dust(specks: tuple[Blob, ...], seed: int, grid: Grid) -> Field | None:
    left, top, right, bottom = grid.bounds_um
    density: Field | None = None
    for speck in specks:
        reach = speck.reach_um + 10
        if not (left - reach < speck.x_um < right + reach and top - reach < speck.y_um < bottom + reach):
            continue
        depth = speck.depth_um(grid.x_um[np.newaxis, :], grid.y_um[:, np.newaxis])
        depth = depth + 0.15 * speck.radius_um * smooth_noise(grid, 12, seed, 46)
        density = _together(density, np.asarray(0.95 * np.clip(depth / 5 + 0.5, 0, 1), np.float32))
    return density


def _distance(stroke: Stroke | None, grid: Grid) -> Field | None:
    """Distance in µm from the middle of a stroke; None if it is nowhere near."""
    if stroke is None:
        return None
    left, top, right, bottom = stroke.bounds_um
    x0, y0, x1, y1 = grid.bounds_um
    if x1 < left or x0 > right or y1 < top or y0 > bottom:
        return None
    x, y = _coarse(grid)
    nearest = np.full((len(y), len(x)), np.inf)
    for start, end in zip(stroke.points_um[:-1], stroke.points_um[1:], strict=True):
        step = end - start
        dx, dy = x[np.newaxis, :] - start[0], y[:, np.newaxis] - start[1]
        along = np.clip((dx * step[0] + dy * step[1]) / (step @ step), 0, 1)
        nearest = np.minimum(nearest, np.hypot(dx - along * step[0], dy - along * step[1]))
    return None if nearest.min() > stroke.width_um else _finer(nearest, grid)


def _depth(blob: Blob | None, grid: Grid, beyond_um: float = 40.0) -> Field | None:
    if blob is None:
        return None
    x, y = _coarse(grid)
    depth = blob.depth_um(x[np.newaxis, :], y[:, np.newaxis])
    return None if depth.max() < -beyond_um else _finer(depth, grid)


def _coarse(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    return grid.x_um.reshape(-1, COARSE).mean(axis=1), grid.y_um.reshape(-1, COARSE).mean(axis=1)


def _finer(field: np.ndarray, grid: Grid) -> Field:
    size = (grid.shape[1], grid.shape[0])
    return np.asarray(cv2.resize(field.astype(np.float32), size, interpolation=cv2.INTER_LINEAR), np.float32)


def _together(one: Field | None, other: Field | None) -> Field | None:
    if one is None or other is None:
        return other if one is None else one
    return np.maximum(one, other)


def _shown(field: Field | None) -> Field | None:
    return field if field is not None and field.max() > 0.01 else None
