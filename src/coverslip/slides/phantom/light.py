"""From stain to colour: what stain, ink, glass, lamp and camera make of white light."""

import cv2
import numpy as np
from numpy.typing import NDArray

from coverslip.slides.phantom.options import PenColor

Pixels = NDArray[np.uint8]

FULL = 1.6
"""Stain concentration (optical density along the stain's vector) of the value 255."""
HAEMATOXYLIN = (0.60, 0.71, 0.37)
EOSIN = (0.08, 0.84, 0.53)
BLOOD = (0.07, 0.74, 0.67)
"""Optical density of the stains in red, green, blue, by eye from scanned slides; the seed varies the first two."""
INK = {
    PenColor.GREEN: (0.85, 0.17, 0.28),
    PenColor.BLUE: (0.80, 0.40, 0.08),
    PenColor.BLACK: (0.92, 0.98, 0.90),
    PenColor.RED: (0.05, 0.95, 0.80),
}
GREY = (0.98, 1.0, 1.02)
DUST = (0.62, 0.75, 0.85)


def varied(stain: tuple[float, float, float], random: np.random.Generator) -> tuple[float, ...]:
    return tuple(value + random.uniform(-0.03, 0.03) for value in stain)


def stain_table(haematoxylin: tuple[float, ...], eosin: tuple[float, ...], strength: float) -> Pixels:
    """Colour (65536, 4) of every pair of a haematoxylin (high byte) and an eosin value (low byte)."""
    h, e = (values * FULL / 255 * strength for values in np.divmod(np.arange(65536), 256))
    density = h[:, np.newaxis] * np.array(haematoxylin) + e[:, np.newaxis] * np.array(eosin)
    table = np.full((65536, 4), 255, np.uint8)
    table[:, :3] = np.clip(np.rint(255 * 10**-density), 0, 255)
    return table


def look_up(table: Pixels, pair: NDArray[np.uint16]) -> Pixels:
    rgba = np.take(table.view(np.uint32)[:, 0], pair).view(np.uint8).reshape(*pair.shape, 4)
    return np.asarray(cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB), np.uint8)


def camera(random: np.random.Generator, side_px: int) -> NDArray[np.int16]:
    """What glass, lamp and camera add to white: the glass' tint, shading of the field of view, noise of the sensor.

    The same in every block, as a scanner's field of view repeats; so bare glass is painted once.
    """
    tint = np.array([random.uniform(-14, -9), random.uniform(-15, -10), random.uniform(-14, -9)])
    y, x = np.mgrid[:side_px, :side_px] / side_px
    shading = -1.2 * (1 - np.sin(np.pi * x) * np.sin(np.pi * y))
    noise = random.normal(0, 1.6, (side_px, side_px, 1)) + random.normal(0, 0.9, (side_px, side_px, 3))
    return np.asarray(np.rint(tint + shading[..., np.newaxis] + noise), np.int16)
