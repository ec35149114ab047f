"""The cells of a slide as columns: where they are, what they are, and what their nuclei look like."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NUCLEUS_FEATURES = (
    "area_um2",
    "perimeter_um",
    "roundness",
    "major_axis_um",
    "minor_axis_um",
    "solidity",
    "haematoxylin_mean",
    "haematoxylin_sd",
    "eosin_mean",
    "texture",
    "perinuclear_haematoxylin",
    "perinuclear_eosin",
)
"""What is measured of each nucleus, in the order of the columns of `CellTable.features`.

``roundness`` is 4π area / perimeter², at most 1. The axes are those of the ellipse of equal second moments. Stains
are in optical density along their vectors; ``texture`` is the mean absolute difference of haematoxylin to its mean
over about 1 µm, in the same unit; the perinuclear stains are those of the 2 µm around it, other nuclei left out.
"""


@dataclass(frozen=True)
class Outlines:
    """Simple closed polygons, all in one array: that of cell i is ``vertices[offsets[i] : offsets[i + 1]]``.

    ``vertices`` is float32 (m, 2), x and y in level-0 pixels, the first vertex not repeated, and may be a memory map;
    ``offsets`` is int64 (n + 1).
    """

    vertices: NDArray[np.float32]
    offsets: NDArray[np.int64]

    def of(self, kept: NDArray[np.bool_]) -> "Outlines":
        """Those that ``kept``, bool (n,), says."""
        sizes = np.diff(self.offsets)
        offsets = np.concatenate([[0], np.cumsum(sizes[kept])]).astype(np.int64)
        return Outlines(self.vertices[np.repeat(kept, sizes)], offsets)


@dataclass(frozen=True)
class CellTable:
    """One row per cell, in a fixed order; n rows.

    Attributes
    ----------
    centroids_px
        float64 (n, 2), x and y of the nucleus in level-0 pixels.
    classes
        uint8 (n,), label of `coverslip.pathology.classes.CELL`.
    confidence
        float32 (n,), 0 to 1, of the class.
    tissue
        uint8 (n,), label of `coverslip.pathology.classes.TISSUE` at the centroid; never Blood or Necrosis.
    features
        float32 (n, len(NUCLEUS_FEATURES)).
    outlines
        Of the nuclei.
    """

    centroids_px: NDArray[np.float64]
    classes: NDArray[np.uint8]
    confidence: NDArray[np.float32]
    tissue: NDArray[np.uint8]
    features: NDArray[np.float32]
    outlines: Outlines

    def __len__(self) -> int:
        return len(self.classes)

    def feature(self, name: str) -> NDArray[np.float32]:
        """The column of `NUCLEUS_FEATURES` called ``name``, float32 (n,)."""
        return self.features[:, NUCLEUS_FEATURES.index(name)]
