"""A part of a slide as a picture of some size, and where polygons lie in it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from coverslip.applications.result_files import Window
from coverslip.pathology.cells import Outlines

SHIFT = 4
"""Binary digits after the point of the coordinates that OpenCV draws."""
MARGIN_PX = 8
"""Polygons are cut so far outside the picture that the cut is not seen."""


@dataclass(frozen=True)
class View:
    """A window seen at ``downsample`` level-0 pixels per pixel of the picture."""

    window: Window
    downsample: float

    def place(self, points: NDArray[np.floating]) -> NDArray[np.int32]:
        """Level-0 coordinates (n, 2) as OpenCV draws them with `SHIFT`: there the centre of the first pixel is at 0."""
        inside = (points - (self.window.x_px, self.window.y_px)) / self.downsample - 0.5
        placed: NDArray[np.int32] = np.rint(inside * (1 << SHIFT)).astype(np.int32)
        return placed

    def rings(self, polygon: shapely.Polygon) -> list[NDArray[np.int32]]:
        """The shell and the holes of a polygon, placed."""
        return [self.place(shapely.get_coordinates(ring)) for ring in (polygon.exterior, *polygon.interiors)]

    def nuclei(self, outlines: Outlines) -> list[NDArray[np.int32]]:
        """The outline of each nucleus, placed."""
        placed = self.place(outlines.vertices)
        return np.split(placed, outlines.offsets[1:-1]) if len(placed) else []

    def cut(self, polygons: Sequence[shapely.Polygon]) -> NDArray[np.object_]:
        """The parts of polygons that are in the picture, or just outside it."""
        window, margin_px = self.window, MARGIN_PX * self.downsample
        cut = shapely.clip_by_rect(
            np.array(polygons, object),
            window.x_px - margin_px,
            window.y_px - margin_px,
            window.x_px + window.width_px + margin_px,
            window.y_px + window.height_px + margin_px,
        )
        parts = shapely.get_parts(cut)
        shown: NDArray[np.object_] = parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON]
        return shown
