"""Nuclei of one tile: read, segment, outline, measure."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from coverslip.applications.he_tme.nucleus_tiles import Tile, TileGrid
from coverslip.models.nucleus_models import open_nucleus_model
from coverslip.models.settings import load_settings
from coverslip.pathology.cells import Outlines
from coverslip.pathology.nuclei.measuring import measure_nuclei
from coverslip.pathology.nuclei.seams import depth_in
from coverslip.slides.opening import open_slide
from coverslip.slides.resampling import read_downsampled

SEAM_UM = 4.0
"""Nuclei whose centroid lies up to this far outside of the core are kept until both sides of the seam are known: two
tiles place the centroid of the same nucleus less far apart."""


@dataclass(frozen=True)
class TileNuclei:
    """The nuclei of a tile, n; ``centroids`` (n, 2) and ``outlines`` in level-0 pixels; ``depth`` of the centroids in
    the tile's core, see `coverslip.pathology.nuclei.seams`; ``features`` (n, len(NUCLEUS_FEATURES))."""

    centroids: NDArray[np.float64]
    features: NDArray[np.float32]
    outlines: Outlines
    depth: NDArray[np.float64]


class NucleusFinder:
    """Finds the nuclei of the tiles of one slide.

    Parameters
    ----------
    path
        The slide.
    mpp
        Micrometres per level-0 pixel.
    grid
        The tiles.
    background
        Colour of bare glass.
    model_id
        Of the model; None: the default one.
    threads
        Processor threads of the model; 0: one per core.
    """

    def __init__(
        self,
        path: Path,
        mpp: float,
        grid: TileGrid,
        background: tuple[float, float, float],
        model_id: str | None,
        threads: int,
    ) -> None:
        cv2.setNumThreads(1)
        settings = load_settings().model_copy(update={"model_threads": threads})
        self._slide, self._mpp, self._grid, self._background = open_slide(path), mpp, grid, background
        self._model = open_nucleus_model(model_id, settings)

    def find(self, tile: Tile) -> TileNuclei:
        """The nuclei whose centroid lies in the tile's core, or hardly outside.

        Raises
        ------
        SlideUnreadable
            Where the file is damaged.
        """
        left, top = tile.core[0] - self._grid.margin_px, tile.core[1] - self._grid.margin_px
        side_px = self._grid.core_px + 2 * self._grid.margin_px
        rgb = read_downsampled(self._slide, left, top, side_px, side_px, self._grid.downsample)
        step = side_px / rgb.shape[0]
        measured = measure_nuclei(rgb, self._model.segment(rgb), self._mpp * step, self._background)
        centroids = measured.centroids * step + (left, top)
        depth = depth_in(tile.core, centroids)
        kept = depth > -SEAM_UM / self._mpp
        outlines = measured.outlines.of(kept)
        vertices = (outlines.vertices * step + (left, top)).astype(np.float32)
        return TileNuclei(centroids[kept], measured.features[kept], Outlines(vertices, outlines.offsets), depth[kept])
