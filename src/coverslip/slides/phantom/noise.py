"""Randomness as a pure function of place: hashes of lattice points, and smooth noise between them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
Integers = NDArray[np.int64]

_MULTIPLIERS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)


def hashed(x: Integers, y: Integers, seed: int, salt: int) -> NDArray[np.float64]:
    """A number in [0, 1) for every pair of integers ``x``, ``y`` (broadcast), by the finalizer of splitmix64.

    Source: S. Vigna, splitmix64 (public domain, 2015), after G. Steele et al., Fast splittable pseudorandom number
    generators, OOPSLA 2014.
    """
    a, b, c = (np.uint64(value) for value in _MULTIPLIERS)
    with np.errstate(over="ignore"):
        z = x.astype(np.uint64) * a ^ y.astype(np.uint64) * b ^ np.uint64(seed * 1009 + salt) * c
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (z ^ (z >> np.uint64(31))) / 2.0**64


@dataclass(frozen=True)
class Grid:
    """Points in µm at which fields are evaluated: ``x_um`` (columns,) and ``y_um`` (rows,), evenly spaced."""

    x_um: NDArray[np.float64]
    y_um: NDArray[np.float64]

    @classmethod
    def over(cls, left_um: float, top_um: float, width_um: float, height_um: float, step_um: float) -> "Grid":
        """The middles of squares of ``step_um`` that tile a window."""
        columns, rows = np.arange(round(width_um / step_um)), np.arange(round(height_um / step_um))
        x_um, y_um = left_um + (columns + 0.5) * step_um, top_um + (rows + 0.5) * step_um
        return cls(np.asarray(x_um, np.float64), np.asarray(y_um, np.float64))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.y_um), len(self.x_um)

    @property
    def bounds_um(self) -> tuple[float, float, float, float]:
        """Least x, least y, greatest x, greatest y."""
        return float(self.x_um[0]), float(self.y_um[0]), float(self.x_um[-1]), float(self.y_um[-1])


def smooth_noise(grid: Grid, scale_um: float, seed: int, salt: int) -> Field:
    """Noise (rows, columns) of about -1 to 1 that changes over ``scale_um``: cubic B-splines over a hashed lattice."""
    (row, down), (column, across) = _spline(grid.y_um / scale_um), _spline(grid.x_um / scale_um)
    rows, columns = np.arange(row[0], row[-1] + 4), np.arange(column[0], column[-1] + 4)
    lattice = (2 * hashed(columns[np.newaxis, :], rows[:, np.newaxis], seed, salt) - 1).astype(np.float32)
    strips = sum(down[:, i, np.newaxis] * lattice[row - row[0] + i] for i in range(4))
    # B-splines smooth the lattice, which halves its spread.
    field: Field = 2 * sum(across[:, i] * np.take(strips, column - column[0] + i, axis=1) for i in range(4))
    return field


def fractal_noise(grid: Grid, scale_um: float, octaves: int, seed: int, salt: int) -> Field:
    """Sum of `smooth_noise` at halving scales and strengths."""
    total = smooth_noise(grid, scale_um, seed, salt)
    for octave in range(1, octaves):
        total += smooth_noise(grid, scale_um / 2**octave, seed, salt + 100 * octave) / 2**octave
    return total


def _spline(position: NDArray[np.float64]) -> tuple[Integers, Field]:
    """The first of the four lattice coordinates that matter at each position, and the weights (points, 4) of the cubic
    B-spline there."""
    whole = np.floor(position)
    t = position - whole
    weights = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], axis=1) / 6
    return whole.astype(np.int64) - 1, weights.astype(np.float32)
