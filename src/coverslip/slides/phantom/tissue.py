"""Which tissue lies where: soft masks over a window, all a pure function of place, plan and seed."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from coverslip.slides.phantom.noise import Field, Grid, fractal_noise, hashed, smooth_noise
from coverslip.slides.phantom.plan import Blob, Plan, Points

FIELD_UM = 2.0
"""Spacing of the masks; finer detail is texture."""
COARSE = 8
"""Masks per value of the smooth shapes that they are made from."""
PATCH_UM = 560.0
"""Pitch of the patches of tissue; each 3 x 3 of them holds every kind once, in an order of its own."""
PATCH_KINDS = ("epithelium", "gland", "lymph", "fat", "blood", "epithelium", "hole", "gland", "stroma")
PATCH_RADIUS_UM = {
    "epithelium": 300.0, "gland": 340.0, "lymph": 120.0, "fat": 260.0, "blood": 120.0, "hole": 70.0, "stroma": 0.0,
}  # fmt: skip
GLAND_UM = 132.0
EDGE_UM = 4.0
"""Width over which one tissue turns into another."""
NOWHERE_UM = -1e4
TURN = 2 * np.pi
LAYERS = ("hole", "blood", "lymph", "gland", "epithelium", "fat")
"""Each lies over those after it; stroma is what is left."""


@dataclass(frozen=True)
class Tissue:
    """Soft masks, float32 (rows, columns), 0 to 1, at `FIELD_UM`.

    ``weight`` shares the tissue among the `LAYERS` (without holes) and stroma; ``lumen`` is the part of a gland without
    tissue; ``whole`` is all tissue, holes left out; ``empty`` is True if there is none.
    """

    grid: Grid
    whole: Field
    weight: dict[str, Field]
    lumen: Field
    glands: tuple[Blob, ...]

    @property
    def empty(self) -> bool:
        """Whether no tissue is here."""
        return not self.whole.any()

    def at(self, name: str, x_um: Points, y_um: Points) -> Field:
        """The weight ``name`` at points inside the window."""
        return self.lookup(self.weight[name], x_um, y_um)

    def lookup(self, field: Field, x_um: Points, y_um: Points) -> Field:
        """The value of a field at points inside the window."""
        left, top, _, _ = self.grid.bounds_um
        column = np.clip(np.rint((x_um - left) / FIELD_UM).astype(int), 0, self.grid.shape[1] - 1)
        row = np.clip(np.rint((y_um - top) / FIELD_UM).astype(int), 0, self.grid.shape[0] - 1)
        values: Field = field[row, column]
        return values


def tissue_in(plan: Plan, seed: int, left_um: float, top_um: float, width_um: float, height_um: float) -> Tissue:
    """The tissue of a window, whose corner and size are multiples of ``FIELD_UM * COARSE``."""
    grid = Grid.over(left_um, top_um, width_um, height_um, FIELD_UM)
    coarse = Grid.over(left_um, top_um, width_um, height_um, FIELD_UM * COARSE)
    inside = island_depth(plan, coarse.x_um[np.newaxis, :], coarse.y_um[:, np.newaxis]).astype(np.float32)
    nothing = np.zeros(grid.shape, np.float32)
    if inside.max() < -80:
        return Tissue(grid, nothing, {}, nothing, ())
    ragged = 22 * fractal_noise(grid, 70, 4, seed, 1)
    whole = _soft(_finer(inside + 110 * fractal_noise(coarse, 500, 2, seed, 2)) + ragged)
    depth = {kind: _finer(field) for kind, field in _patches(coarse, seed).items() if field.max() > -70}
    if "epithelium" in depth:
        # Thin septa of stroma part the epithelium into nests: where a noise is near 0, as its lines of 0 never end.
        septa = 170 * np.abs(fractal_noise(grid, 240, 2, seed, 7)) - 11
        depth["epithelium"] = np.minimum(depth["epithelium"], septa)
    masks = {kind: _soft(field + ragged) for kind, field in depth.items() if kind in LAYERS and kind != "gland"}
    glands = tuple(_glands(plan, seed, grid)) if "gland" in depth else ()
    masks["gland"], lumen = _draw_glands(glands, grid)

    left = whole.copy()
    weight: dict[str, Field] = {}
    for name in LAYERS:
        weight[name] = left * masks[name] if name in masks else nothing
        left = left - weight[name]
    weight["stroma"] = left
    return Tissue(grid, whole - weight.pop("hole"), weight, lumen * weight["gland"], glands)


def island_depth(plan: Plan, x_um: Points, y_um: Points) -> Points:
    """About how far points lie inside the outline of the tissue that is planned, negative outside."""
    depth = np.full(np.broadcast_shapes(x_um.shape, y_um.shape), NOWHERE_UM)
    for island in plan.islands:
        depth = np.maximum(depth, island.depth_um(x_um, y_um))
    return depth


def patch_depth(kind: str, seed: int, x_um: Points, y_um: Points) -> Points:
    """How far points lie inside patches of a kind, negative outside and no less than about -`PATCH_UM`."""
    reach = 2
    first = np.floor([x_um.min() / PATCH_UM, y_um.min() / PATCH_UM]).astype(int) - reach
    last = np.floor([x_um.max() / PATCH_UM, y_um.max() / PATCH_UM]).astype(int) + reach
    column, row = (a.ravel() for a in np.meshgrid(np.arange(first[0], last[0] + 1), np.arange(first[1], last[1] + 1)))
    chosen = [PATCH_KINDS[i] == kind for i in _kind_numbers(column, row, seed)]
    column, row = column[chosen], row[chosen]
    centre_x = (column + 0.5 + 0.5 * (hashed(column, row, seed, 21) - 0.5)) * PATCH_UM
    centre_y = (row + 0.5 + 0.5 * (hashed(column, row, seed, 22) - 0.5)) * PATCH_UM
    # Some quarters of a slide have more of one tissue, others of another.
    quarter = hashed(column // 6, row // 6, seed, 23 + PATCH_KINDS.index(kind))
    radius = PATCH_RADIUS_UM[kind] * (0.7 + 0.35 * hashed(column, row, seed, 24) + 0.35 * quarter)
    depth = np.full(np.broadcast_shapes(x_um.shape, y_um.shape), NOWHERE_UM)
    for x, y, r in zip(centre_x, centre_y, radius, strict=True):
        depth = np.maximum(depth, r - np.hypot(x_um - x, y_um - y))
    return depth


def _kind_numbers(column: NDArray[np.int64], row: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Which of `PATCH_KINDS` each patch is: a permutation of all nine in every 3 x 3 of the lattice."""
    own = (row % 3) * 3 + column % 3
    ranks = np.stack([hashed(column // 3 * 9 + place, row // 3, seed, 20) for place in range(9)])
    order = np.argsort(ranks, axis=0)
    numbers: NDArray[np.int64] = order[own, np.arange(len(own))]
    return numbers


def _patches(coarse: Grid, seed: int) -> dict[str, Field]:
    x_um, y_um = coarse.x_um[np.newaxis, :], coarse.y_um[:, np.newaxis]
    sway = 105 * fractal_noise(coarse, 210, 3, seed, 3)
    return {
        kind: (patch_depth(kind, seed, x_um, y_um) + sway).astype(np.float32) for kind in ("epithelium", "fat", "lymph")
    } | {
        kind: patch_depth(kind, seed, x_um, y_um).astype(np.float32) + 0.4 * sway for kind in ("blood", "hole", "gland")
    }


def _glands(plan: Plan, seed: int, grid: Grid) -> list[Blob]:
    """The glands that reach into a window; ``radius_um`` is that of their outer rim."""
    left, top, right, bottom = grid.bounds_um
    columns = np.arange(int((left - GLAND_UM) // GLAND_UM), int((right + GLAND_UM) // GLAND_UM) + 1)
    rows = np.arange(int((top - GLAND_UM) // GLAND_UM), int((bottom + GLAND_UM) // GLAND_UM) + 1)
    column, row = (a.ravel() for a in np.meshgrid(columns, rows))
    x = (column + 0.5 * (row % 2) + 0.36 * (hashed(column, row, seed, 31) - 0.5)) * GLAND_UM
    y = (row + 0.36 * (hashed(column, row, seed, 32) - 0.5)) * GLAND_UM
    radius = 36 + 26 * hashed(column, row, seed, 33)
    here = (patch_depth("gland", seed, x, y) > 0) & (island_depth(plan, x, y) > radius + 100)
    shape = [hashed(column, row, seed, salt)[here] for salt in range(34, 40)]
    return [
        Blob(
            x_um,
            y_um,
            r,
            0.8 + 0.4 * a,
            np.pi * b,
            ((2, 0.14 * c, TURN * d), (3, 0.13 * e, TURN * f), (5, 0.05, TURN * a)),
        )
        for x_um, y_um, r, a, b, c, d, e, f in zip(x[here], y[here], radius[here], *shape, strict=True)
    ]


def lumen_share(gland: Blob) -> float:
    """Radius of a gland's lumen over that of its rim."""
    return 0.30 + 0.22 * ((gland.x_um * 0.7 + gland.y_um * 1.3) % 1.0)


def outline(blob: Blob, scale: float, points: int) -> Points:
    """Points (n, 2) in µm along the rim of a blob, ``scale`` of the way from its centre."""
    around = np.linspace(0, 2 * np.pi, points, endpoint=False)
    shape = sum((strength * np.cos(k * around + phase) for k, strength, phase in blob.lobes), np.ones_like(around))
    u, v = (
        scale * blob.radius_um * shape * np.cos(around) * blob.stretch,
        scale * blob.radius_um * shape * np.sin(around),
    )
    cos, sin = np.cos(blob.angle), np.sin(blob.angle)
    return np.stack([blob.x_um + u * cos - v * sin, blob.y_um + u * sin + v * cos], axis=1)


def _draw_glands(glands: tuple[Blob, ...], grid: Grid) -> tuple[Field, Field]:
    whole, lumen = np.zeros(grid.shape, np.uint8), np.zeros(grid.shape, np.uint8)
    corner = np.array(grid.bounds_um[:2])
    for gland in glands:
        for canvas, scale in ((whole, 1.0), (lumen, lumen_share(gland))):
            points = np.rint((outline(gland, scale, 40) - corner) / FIELD_UM * 16).astype(np.int32)
            cv2.fillPoly(canvas, [points], 255, cv2.LINE_AA, 4)
    return whole.astype(np.float32) * np.float32(1 / 255), lumen.astype(np.float32) * np.float32(1 / 255)


def _finer(field: Field) -> Field:
    size = (field.shape[1] * COARSE, field.shape[0] * COARSE)
    return np.asarray(cv2.resize(field.astype(np.float32), size, interpolation=cv2.INTER_LINEAR), np.float32)


def _soft(depth_um: Field) -> Field:
    return np.asarray(np.clip(depth_um / EDGE_UM + 0.5, 0, 1), np.float32)


def flow(grid: Grid, seed: int) -> Field:
    """Where the fibres of a window are taken from: (rows, columns, 2) in µm, a plane bent so that they wind."""
    bend = [
        fractal_noise(grid, 420, 2, seed, salt) * 170 + smooth_noise(grid, 60, seed, salt + 1) * 5 for salt in (4, 6)
    ]
    turn = TURN * float(hashed(np.array(0), np.array(0), seed, 8))
    x, y = grid.x_um[np.newaxis, :] + bend[0], grid.y_um[:, np.newaxis] + bend[1]
    cos, sin = np.cos(turn), np.sin(turn)
    return np.stack([x * cos - y * sin, x * sin + y * cos], axis=2).astype(np.float32)
