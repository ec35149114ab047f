"""Periodic textures of a tissue section, made once per process and then only looked up: uint8, 255 is full."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Texture = NDArray[np.uint8]
Plane = NDArray[np.float32]
Noise = Callable[[float, float], Plane]

PERIOD_UM = 512.0
WINDOW_PX = 1152
"""Textures but ``fibres`` go on this far beyond their period, so that every window is a view."""


@dataclass(frozen=True)
class Textures:
    """Textures of `PERIOD_UM` squares.

    Attributes
    ----------
    fibres
        (h, w, 2): eosin of dense and of loose connective tissue; fibres run along x.
    cytoplasm, chromatin
        (h, w), about 200 on average.
    membranes
        Walls of fat cells.
    red_cells
        Packed erythrocytes.
    """

    period_px: int
    fibres: Texture
    cytoplasm: Texture
    chromatin: Texture
    membranes: Texture
    red_cells: Texture

    def window(self, texture: Texture, x_px: int, y_px: int, width_px: int, height_px: int) -> Texture:
        """A window of a texture as it repeats over the plane, at most `WINDOW_PX` wide and high."""
        left, top = x_px % self.period_px, y_px % self.period_px
        return texture[top : top + height_px, left : left + width_px]


def make_textures(seed: int, mpp: float) -> Textures:
    """Draw the textures of a slide."""
    random = np.random.default_rng([seed, 3])
    size = round(PERIOD_UM / mpp)

    def noise(x_um: float, y_um: float) -> Plane:
        return _noise(random, size, x_um / mpp, y_um / mpp)

    return Textures(
        period_px=size,
        fibres=_fibres(noise, size, mpp),
        cytoplasm=_continued(_bytes(0.76 + 0.05 * noise(0.5, 0.5) + 0.07 * noise(1.8, 1.8) + 0.07 * noise(7, 7))),
        chromatin=_continued(_bytes(0.74 + 0.11 * noise(0.4, 0.4) + 0.11 * noise(0.9, 0.9))),
        membranes=_continued(_fat(random, noise, size, mpp)),
        red_cells=_continued(_red_cells(random, size, mpp)),
    )


def _noise(random: np.random.Generator, size: int, x_px: float, y_px: float) -> Plane:
    """Periodic Gaussian noise, mean 0, deviation 1, smooth over ``x_px`` and ``y_px`` (standard deviations)."""
    white = random.standard_normal((size, size), np.float32)
    fx, fy = np.fft.rfftfreq(size)[np.newaxis, :], np.fft.fftfreq(size)[:, np.newaxis]
    transfer = np.exp(-2 * np.pi**2 * ((fx * x_px) ** 2 + (fy * y_px) ** 2))
    smooth = np.fft.irfft2(np.fft.rfft2(white) * transfer, (size, size)).astype(np.float32)
    return np.asarray((smooth - smooth.mean()) / smooth.std(), np.float32)


def _fibres(noise: Noise, size: int, mpp: float) -> Texture:
    bundles, fibrils, fine = noise(24, 2.4), noise(11, 0.8), noise(3.5, 0.4)
    clefts, broad = noise(17, 1.1), noise(60, 12)
    dense = 0.60 + 0.09 * bundles + 0.09 * fibrils + 0.05 * fine + 0.04 * broad
    gap = _step(clefts + 0.5 * broad, 1.0, 1.5)
    strands = _step(bundles + 0.5 * fibrils, -0.2, 0.5)
    loose = 0.08 + 0.05 * fine + strands * (0.42 + 0.12 * fibrils + 0.05 * bundles)
    plain = np.dstack([dense * (1 - 0.95 * gap), loose])
    wave = (3.0 * noise(9, 24) + 6.0 * noise(34, 34)) / mpp
    y, x = np.mgrid[:size, :size].astype(np.float32)
    return np.asarray(cv2.remap(_bytes(plain), x, y + wave, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP), np.uint8)


def _fat(random: np.random.Generator, noise: Noise, size: int, mpp: float) -> Texture:
    """Walls between cells of about 65 µm: where the nearest two of scattered points are equally near."""
    small = size // 2
    pitch = small * mpp * 2 / 62.0
    count = round(pitch) ** 2
    side = round(pitch)
    points = (np.stack(np.divmod(np.arange(count), side), axis=1) + 0.5 + random.uniform(-0.36, 0.36, (count, 2))) * (
        small / side
    )
    y, x = np.mgrid[:small, :small].astype(np.float32)
    nearest, second = np.full((small, small), 1e9, np.float32), np.full((small, small), 1e9, np.float32)
    for row, column in points:
        dy, dx = np.abs(y - row), np.abs(x - column)
        distance = np.hypot(np.minimum(dy, small - dy), np.minimum(dx, small - dx))
        second = np.minimum(second, np.maximum(nearest, distance))
        nearest = np.minimum(nearest, distance)
    wall_um = cv2.resize((second - nearest) * 2 * mpp, (size, size), interpolation=cv2.INTER_LINEAR)
    return _bytes((0.62 + 0.1 * noise(2, 2)) * (1 - _step(wall_um + 0.5 * noise(4, 4), 0.8, 2.6)))


def _red_cells(random: np.random.Generator, size: int, mpp: float) -> Texture:
    """Discs of about 6.5 µm with a pale middle, nearly touching."""
    side = round(PERIOD_UM / 6.1)
    canvas = np.full((size, size), 130, np.uint8)
    for row, column in np.ndindex(side, side):
        centre = (np.array([column + 0.5 * (row % 2), row]) + random.uniform(-0.22, 0.22, 2)) * (size / side)
        axes = np.array([3.3, 3.3 * random.uniform(0.7, 1.0)]) / mpp
        turn, shade = random.uniform(0, 180), int(random.integers(195, 250))
        for scale, value in ((1.0, shade), (0.45, shade - 28)):
            for shift in np.ndindex(3, 3):
                at = np.rint((centre + (np.array(shift) - 1) * size) * 16).astype(int).tolist()
                size_px = np.rint(axes * scale * 16).astype(int).tolist()
                cv2.ellipse(canvas, at, size_px, turn, 0, 360, value, -1, cv2.LINE_AA, 4)
    return np.asarray(cv2.GaussianBlur(canvas, (0, 0), 0.35 / mpp, borderType=cv2.BORDER_REFLECT), np.uint8)


def _continued(texture: Texture) -> Texture:
    return np.pad(texture, ((0, WINDOW_PX), (0, WINDOW_PX)), mode="wrap")


def _step(values: Plane, low: float, high: float) -> Plane:
    t = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def _bytes(values: Plane) -> Texture:
    return np.clip(np.rint(values * 255), 0, 255).astype(np.uint8)
