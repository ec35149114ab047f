"""Outlines as polygons of shapely."""

import numpy as np
import shapely
from numpy.typing import NDArray

from coverslip.pathology.cells import Outlines


def polygons_of(outlines: Outlines) -> NDArray[np.object_]:
    """The outlines as an array of shapely polygons, n."""
    rings = shapely.linearrings(
        np.asarray(outlines.vertices, np.float64),
        indices=np.repeat(np.arange(len(outlines.offsets) - 1), np.diff(outlines.offsets)),
    )
    return np.asarray(shapely.polygons(rings))
