"""What each zone of a tumour holds: tissue and cells."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.cells import CellTable
from coverslip.pathology.classes import CELL, TISSUE
from coverslip.pathology.readouts.cell_counts import class_numbers
from coverslip.pathology.zones import ZONE, zone_map


@dataclass(frozen=True)
class ZoneCensus:
    """``zone_of_cells``: uint8 (n,), label of `ZONE` of each cell, 0 for none. ``area_mm2``: float64 (zones, tissues);
    ``cells``: int64 (zones, classes); both in the order of `ZONE`, `TISSUE` and `CELL`."""

    zone_of_cells: NDArray[np.uint8]
    area_mm2: NDArray[np.float64]
    cells: NDArray[np.int64]


def count_zones(cells: CellTable, tissue: NDArray[np.uint8], cell_px: int, mpp: float) -> ZoneCensus:
    """Count tissue and cells by zone.

    Parameters
    ----------
    cells
        All cells of the slide.
    tissue
        uint8 (rows, columns), labels of `TISSUE`.
    cell_px
        Level-0 pixels per map pixel and axis.
    mpp
        Micrometres per level-0 pixel.
    """
    um_per_map_px = cell_px * mpp
    zones = zone_map(tissue, um_per_map_px)
    column, row = (cells.centroids_px // cell_px).astype(np.intp).T
    zone_of_cells = zones[row.clip(0, tissue.shape[0] - 1), column.clip(0, tissue.shape[1] - 1)]
    labels = np.arange(1, len(ZONE) + 1)
    pixels = [np.bincount(tissue[zones == zone], minlength=len(TISSUE) + 1)[1:] for zone in labels]
    area_mm2: NDArray[np.float64] = np.array(pixels, float) * um_per_map_px**2 / 1e6
    classes = class_numbers(cells)
    counts = [np.bincount(classes[zone_of_cells == zone], minlength=len(CELL)) for zone in labels]
    return ZoneCensus(zone_of_cells, area_mm2, np.array(counts, np.int64))
