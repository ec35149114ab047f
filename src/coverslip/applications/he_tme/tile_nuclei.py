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
    the tile's core, see `coverslip.pathology.nuclei.seams`; ``shared``, bool (n,): whether other tiles see some of it;
    ``features`` (n, len(NUCLEUS_FEATURES)); ``types`` as in `coverslip.models.nucleus_models.FoundNuclei`."""

    centroids: NDArray[np.float64]
    features: NDArray[np.float32]
    outlines: Outlines
    depth: NDArray[np.float64]
    shared: NDArray[np.bool_]
    types: NDArray[np.float32] | None


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
    threads
        Processor threads of the model; 0: one per core.
    """

    def __init__(
        self,
        path: Path,
        mpp: float,
        grid: TileGrid,
        background: tuple[float, float, float],
        threads: int,
    ) -> None:
        cv2.setNumThreads(1)
        settings = load_settings().model_copy(update={"model_threads": threads})
        self._slide, self._mpp, self._grid, self._background = open_slide(path), mpp, grid, background
        self._model = open_nucleus_model(None, settings)

    def find(self, tile: Tile) -> TileNuclei:
        """The nuclei whose centroid lies in the tile's core, or hardly outside.

        Raises
        ------
        SlideUnreadable
            Where the file is damaged.
        """
        margin_px = self._grid.margin_px
        left, top, right, bottom = tile.core
        corner = left - margin_px, top - margin_px
        width_px, height_px = right - left + 2 * margin_px, bottom - top + 2 * margin_px
        downsample = self._grid.downsample
        rgb = read_downsampled(self._slide, *corner, width_px, height_px, max(1.0, downsample))
        if downsample < 1:  # the model sees more finely than the slide was scanned
            size = round(width_px / downsample), round(height_px / downsample)
            rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC), np.uint8)
        step = np.array([width_px / rgb.shape[1], height_px / rgb.shape[0]])
        found = self._model.find(rgb)
        measured = measure_nuclei(rgb, found.labels, self._mpp * float(step.mean()), self._background)
        centroids = measured.centroids * step + corner
        depth = depth_in(tile.core, centroids)
        kept = depth > -SEAM_UM / self._mpp
        outlines = measured.outlines.of(kept)
        vertices = (outlines.vertices * step + corner).astype(np.float32)
        # Other tiles see as much of this core as their margin is wide.
        least_depth = np.minimum.reduceat(depth_in(tile.core, vertices), outlines.offsets[:-1])
        return TileNuclei(
            centroids[kept],
            measured.features[kept],
            Outlines(vertices, outlines.offsets),
            depth[kept],
            least_depth < margin_px,
            None if found.types is None else found.types[kept],
        )
