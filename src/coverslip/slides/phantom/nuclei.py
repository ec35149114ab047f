"""The nuclei of a phantom: each has a place, a class, a size and an outline, all from hashes of a lattice point."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from coverslip.slides.phantom.noise import Field, hashed, smooth_noise
from coverslip.slides.phantom.plan import Points
from coverslip.slides.phantom.tissue import Tissue, lumen_share, outline

EPITHELIAL, FIBROBLAST, LYMPHOCYTE = 0, 1, 2
CLASSES = ("Epithelial cell", "Fibroblast", "Lymphocyte")
OUTLINE_POINTS = 14
REACH_UM = 12.0
"""No point of a nucleus is farther from its centre."""


@dataclass(frozen=True)
class Nuclei:
    """Nuclei as arrays of equal length n.

    ``x_um``, ``y_um``: centres; ``radius_um`` (n, 2): half axes; ``angle``: of the first axis; ``kind``: index into
    `CLASSES`; ``shade``: 0 to 1, how dark; ``twist``: 0 to 1, the rest of what sets one apart from another.
    """

    x_um: Points
    y_um: Points
    radius_um: Points
    angle: Points
    kind: NDArray[np.int64]
    shade: Points
    twist: Points

    def __len__(self) -> int:
        return len(self.x_um)

    def chosen(self, which: NDArray[np.bool_]) -> "Nuclei":
        """Those for which ``which`` (n,) is true."""
        return Nuclei(*(getattr(self, name)[which] for name in self.__dataclass_fields__))

    def outlines_um(self) -> Points:
        """Points (n, `OUTLINE_POINTS`, 2): ellipses with small lobes."""
        around = np.linspace(0, 2 * np.pi, OUTLINE_POINTS, endpoint=False)[np.newaxis, :]
        twist = 2 * np.pi * self.twist[:, np.newaxis]
        lobes = 1 + 0.06 * np.cos(2 * around + twist) + 0.05 * np.cos(3 * around + 5 * twist)
        u = self.radius_um[:, :1] * lobes * np.cos(around)
        v = self.radius_um[:, 1:] * lobes * np.sin(around)
        cos, sin = np.cos(self.angle)[:, np.newaxis], np.sin(self.angle)[:, np.newaxis]
        x, y = self.x_um[:, np.newaxis], self.y_um[:, np.newaxis]
        return np.stack([x + u * cos - v * sin, y + u * sin + v * cos], axis=2)


def nuclei_in(tissue: Tissue, flow: Field, seed: int) -> Nuclei:
    """All nuclei of a window of tissue; those within `REACH_UM` of its border may be missing or overlap.

    ``flow`` is the window's `coverslip.slides.phantom.tissue.flow`, along whose fibres spindle nuclei lie.
    """
    kinds = [_epithelial(tissue, seed), _lymphocytes(tissue, seed), _fibroblasts(tissue, flow, seed)]
    kinds[1:1] = [_glandular(tissue)] if tissue.glands else []
    names = Nuclei.__dataclass_fields__
    return _apart(Nuclei(*(np.concatenate([getattr(nuclei, name) for nuclei in kinds]) for name in names)))


def _lattice(tissue: Tissue, pitch_um: float, jitter: float, seed: int, salt: int) -> tuple[Points, list[Points]]:
    """Points (n, 2) of a jittered hexagonal lattice, and six random numbers for each."""
    left, top, right, bottom = tissue.grid.bounds_um
    height_um = pitch_um * 0.866
    columns, rows = (
        np.arange(int(left // pitch_um), int(right // pitch_um) + 1),
        np.arange(int(top // height_um), int(bottom // height_um) + 1),
    )
    column, row = (a.ravel() for a in np.meshgrid(columns, rows))
    numbers = [hashed(column, row, seed, salt + i) for i in range(8)]
    x = (column + 0.5 * (row % 2) + jitter * (2 * numbers[6] - 1)) * pitch_um
    y = row * height_um + jitter * (2 * numbers[7] - 1) * pitch_um
    return np.stack([x, y], axis=1), numbers[:6]


def _epithelial(tissue: Tissue, seed: int) -> Nuclei:
    points, (size, turn, shade, twist, there, ratio) = _lattice(tissue, 11.0, 0.20, seed, 50)
    x, y = points.T
    # Sheets differ: here small and crowded cells, there large and pale ones.
    grade = tissue.lookup(smooth_noise(tissue.grid, 700, seed, 9), x, y)
    radius = 3.5 + 0.35 * np.clip(grade, -1, 1) + 0.9 * size
    radii = np.stack([radius * (1.0 + 0.25 * ratio), radius * (0.95 - 0.15 * ratio)], axis=1)
    kept = (tissue.at("epithelium", x, y) > 0.5) & (there < 0.93)
    kind = np.full(len(x), EPITHELIAL)
    return Nuclei(x, y, radii, np.pi * turn, kind, 0.42 + 0.36 * shade - 0.08 * np.clip(grade, -1, 1), twist).chosen(
        kept
    )


def _glandular(tissue: Tissue) -> Nuclei:
    """A ring of nuclei along the base of each gland, pointing to its lumen."""
    rows = []
    for gland in tissue.glands:
        scale = 1 - 0.42 * (1 - lumen_share(gland))
        count = int(2 * np.pi * scale * gland.radius_um / 7.2)
        ring = outline(gland, scale, count)
        number = np.arange(count)
        key = np.full(count, round(gland.x_um * 10), np.int64)
        size, shade, twist = (hashed(number, key, round(gland.y_um * 10) % 2**31, 60 + i) for i in range(3))
        inward = np.array([gland.x_um, gland.y_um]) - ring
        angle = np.arctan2(inward[:, 1], inward[:, 0]) + 0.5 * (twist - 0.5)
        ring = ring + inward / np.linalg.norm(inward, axis=1, keepdims=True) * (3.5 * (shade[:, np.newaxis] - 0.5))
        rows.append(np.column_stack([ring, 3.9 + 1.3 * size, 2.7 + 0.45 * size, angle, 0.48 + 0.32 * shade, twist]))
    x, y, a, b, angle, shade, twist = np.concatenate(rows).T
    made = Nuclei(x, y, np.stack([a, b], axis=1), angle, np.full(len(x), EPITHELIAL), shade, twist)
    left, top, right, bottom = tissue.grid.bounds_um
    made = made.chosen((x > left) & (x < right) & (y > top) & (y < bottom))
    return made.chosen(tissue.at("gland", made.x_um, made.y_um) > 0.5)


def _lymphocytes(tissue: Tissue, seed: int) -> Nuclei:
    points, (size, turn, shade, twist, there, ratio) = _lattice(tissue, 7.6, 0.10, seed, 70)
    x, y = points.T
    # Some stray into the stroma, more in some places than in others.
    inflamed = np.clip(tissue.lookup(smooth_noise(tissue.grid, 260, seed, 10), x, y), 0, 1)
    stray = (tissue.at("stroma", x, y) > 0.5) & (there < 0.004 + 0.10 * inflamed**2)
    kept = stray | ((tissue.at("lymph", x, y) > 0.5) & (there < 0.9))
    radius = 2.5 + 0.6 * size
    radii = np.stack([radius * (1 + 0.12 * ratio), radius], axis=1)
    return Nuclei(x, y, radii, np.pi * turn, np.full(len(x), LYMPHOCYTE), 0.74 + 0.26 * shade, twist).chosen(kept)


def _fibroblasts(tissue: Tissue, flow: Field, seed: int) -> Nuclei:
    points, (size, turn, shade, twist, there, ratio) = _lattice(tissue, 20.0, 0.32, seed, 90)
    x, y = points.T
    kept = (tissue.at("stroma", x, y) > 0.7) & (there < 0.62)
    # Fibres run where the second coordinate of their texture stays the same.
    across = flow[..., 1]
    slope_y, slope_x = np.gradient(across, axis=0), np.gradient(across, axis=1)
    along = np.arctan2(-tissue.lookup(slope_x, x, y), tissue.lookup(slope_y, x, y))
    radii = np.stack([4.6 + 3.4 * size, 1.25 + 0.75 * ratio], axis=1)
    angle = along + 0.5 * (turn - 0.5)
    return Nuclei(x, y, radii, angle, np.full(len(x), FIBROBLAST), 0.62 + 0.3 * shade, twist).chosen(kept)


def _apart(nuclei: Nuclei) -> Nuclei:
    """Leave out each nucleus that would touch one before it, so that outlines never cross."""
    if len(nuclei) < 2:
        return nuclei
    points = np.stack([nuclei.x_um, nuclei.y_um], axis=1)
    pairs = cKDTree(points).query_pairs(2 * 8.8, output_type="ndarray")
    first, second = pairs.min(axis=1), pairs.max(axis=1)
    gap = points[second] - points[first]
    distance = np.hypot(gap[:, 0], gap[:, 1])
    bearing = np.arctan2(gap[:, 1], gap[:, 0])
    touching = distance < 1.1 * (_extent(nuclei, first, bearing) + _extent(nuclei, second, bearing))
    kept = np.ones(len(nuclei), bool)
    kept[second[touching]] = False
    return nuclei.chosen(kept)


def _extent(nuclei: Nuclei, which: NDArray[np.int64], bearing: Points) -> Points:
    """Half the width of ellipses as seen along ``bearing``: the support function, so that none is missed."""
    a, b = nuclei.radius_um[which].T
    angle = bearing - nuclei.angle[which]
    extent: Points = np.hypot(a * np.cos(angle), b * np.sin(angle))
    return extent
