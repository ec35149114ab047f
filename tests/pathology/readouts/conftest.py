"""A small slide with tissue, its outlines, and cells that lie in it."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from coverslip.pathology.cells import CellTable
from coverslip.pathology.classes import TISSUE_QC, label_of
from coverslip.pathology.polygons import Region, regions_of
from harness.results import NUCLEATED, cell_table

CELL_PX, MPP = 8, 0.5
ROWS, COLUMNS = 300, 400


@dataclass(frozen=True)
class Sample:
    mpp: float
    cell_px: int
    tissue: NDArray[np.uint8]
    quality: NDArray[np.uint8]
    tissue_regions: list[Region]
    quality_regions: list[Region]
    cells: CellTable


@pytest.fixture(scope="session")
def sample() -> Sample:
    """1.6 x 1.2 mm in which every tissue class but Vessel occurs, with 3,000 cells."""
    noise = cv2.GaussianBlur(np.random.default_rng(3).standard_normal((ROWS, COLUMNS)), (0, 0), 12)
    labels = np.array([0, 1, 2, 3, 4, 5, 6], np.uint8)
    tissue = labels[np.searchsorted(np.quantile(noise, [0.2, 0.5, 0.6, 0.65, 0.9, 0.95]), noise)]
    quality = np.where(tissue > 0, label_of(TISSUE_QC, "Valid Tissue"), label_of(TISSUE_QC, "No Tissue"))
    quality[:20] = label_of(TISSUE_QC, "Marker")
    tissue[:20] = 0
    width_px, height_px = COLUMNS * CELL_PX, ROWS * CELL_PX
    scattered = cell_table(8000, width_px, height_px, MPP)
    column, row = (scattered.centroids_px // CELL_PX).astype(int).T
    inside = np.flatnonzero(np.isin(tissue[row, column], NUCLEATED))[:3000]
    cells = replace(
        scattered,
        centroids_px=scattered.centroids_px[inside],
        classes=scattered.classes[inside],
        confidence=scattered.confidence[inside],
        tissue=tissue[row, column][inside],
        features=scattered.features[inside],
    )
    return Sample(
        MPP,
        CELL_PX,
        tissue,
        quality.astype(np.uint8),
        regions_of(tissue, CELL_PX, width_px, height_px),
        regions_of(quality.astype(np.uint8), CELL_PX, width_px, height_px),
        cells,
    )
