"""A coarser grid over the map of a slide, for what is judged by its wider surroundings."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class CoarseGrid:
    """``shape``: rows and columns; ``fine_shape``: those of the map; ``mpp`` and ``cell_mpp``: µm per cell of both."""

    shape: tuple[int, int]
    fine_shape: tuple[int, int]
    mpp: float
    cell_mpp: float

    @classmethod
    def over(cls, fine_shape: tuple[int, ...], work_um: float, mpp: float) -> "CoarseGrid":
        """The grid with cells of about ``work_um``, whole multiples of the map's."""
        step = max(1, round(work_um / mpp))
        rows, columns = fine_shape[0], fine_shape[1]
        return cls((max(1, rows // step), max(1, columns // step)), (rows, columns), mpp * step, mpp)

    def mean(self, plane: NDArray[np.uint8] | NDArray[np.uint16]) -> Plane:
        """The mean over each cell of a plane of the map, in its own units."""
        size = (self.shape[1], self.shape[0])
        return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)

    def share(self, mask: Mask) -> Plane:
        """The part of each cell that lies in a mask of the map, 0 to 1."""
        return self.mean(mask * np.uint8(200)) / 200

    def full(self, mask: Mask) -> Mask:
        """A mask of this grid on the map."""
        return self.full_values(mask.astype(np.uint8)) > 0

    def full_values(self, plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A plane of this grid on the map, each cell with its one value."""
        size = (self.fine_shape[1], self.fine_shape[0])
        return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_NEAREST), np.uint8)
