"""Results of a slide for tests: cells and regions as he-tme finds them, and the files it writes of them."""

from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from coverslip.applications.cell_files import write_cell_parquet
from coverslip.applications.region_files import ClassRegion, write_region_parquet
from coverslip.pathology.cells import NUCLEUS_FEATURES, CellTable, Outlines
from coverslip.pathology.classes import ANUCLEATE, CELL, TISSUE, label_of
from coverslip.pathology.polygons import regions_of
from coverslip.slides.pyramid import strips_of, write_label_pyramid

NUCLEATED = [label_of(TISSUE, name) for name in TISSUE if name not in ANUCLEATE]


def cell_table(count: int, width_px: int = 2000, height_px: int = 1500, mpp: float = 0.5, seed: int = 0) -> CellTable:
    """Round nuclei of 3 to 6 µm radius at random places, all inside the slide, whose areas fit their outlines."""
    random = np.random.default_rng(seed)
    radius_px = random.uniform(3, 6, count) / mpp
    room = np.array([width_px, height_px]) - 2 * radius_px.max(initial=0)
    centroids = random.random((count, 2)) * room + radius_px.max(initial=0)
    sizes = random.integers(8, 24, count)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    owner = np.repeat(np.arange(count), sizes)
    angle = 2 * np.pi * (np.arange(offsets[-1]) - offsets[owner]) / sizes[owner]
    around = np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius_px[owner, None]
    features = random.random((count, len(NUCLEUS_FEATURES)), dtype=np.float32)
    features[:, NUCLEUS_FEATURES.index("area_um2")] = np.pi * (radius_px * mpp) ** 2
    return CellTable(
        centroids_px=centroids,
        classes=random.integers(1, len(CELL) + 1, count).astype(np.uint8),
        confidence=random.random(count, dtype=np.float32),
        tissue=random.choice(NUCLEATED, count).astype(np.uint8),
        features=features,
        outlines=Outlines((centroids[owner] + around).astype(np.float32), offsets),
    )


def tissue_map(rows: int, columns: int) -> NDArray[np.uint8]:
    """A label map of `TISSUE` with bands of stroma and carcinoma, a hole of necrosis, and nothing at the edge."""
    labels = np.zeros((rows, columns), np.uint8)
    labels[2:-2, 2:-2] = label_of(TISSUE, "Stroma")
    labels[rows // 4 : -rows // 4, columns // 4 : -columns // 4] = label_of(TISSUE, "Carcinoma")
    labels[rows // 2 - 2 : rows // 2 + 2, columns // 2 - 2 : columns // 2 + 2] = label_of(TISSUE, "Necrosis")
    return labels


def write_results(
    folder: Path, cells: CellTable, width_px: int = 2000, height_px: int = 1500, mpp: float = 0.5, cell_px: int = 8
) -> Path:
    """The files of a slide as they are downloaded, as far as overlay and export read them."""
    folder.mkdir(parents=True, exist_ok=True)
    labels = tissue_map(-(-height_px // cell_px), -(-width_px // cell_px))
    names = list(TISSUE)
    found = regions_of(labels, cell_px, width_px, height_px)
    tissue = [ClassRegion(names[region.label - 1], region.polygon) for region in found]
    (valid,) = regions_of((labels > 0).astype(np.uint8), cell_px, width_px, height_px)
    fold = ClassRegion("Tissue Artifact", shapely.box(0, 0, 16, 8), "fold")
    quality = [fold, ClassRegion("Valid Tissue", valid.polygon)]
    write_region_parquet(folder / "tissue_qc_parquet_polygons.parquet", quality, mpp)
    write_region_parquet(folder / "tissue_segmentation_parquet_polygons.parquet", tissue, mpp)
    write_cell_parquet(folder / "cell_classification_parquet_polygons.parquet", cells, mpp)
    image = folder / "tissue_segmentation_segmentation_map_image.tiff"
    write_label_pyramid(image, labels.shape[1], labels.shape[0], mpp * cell_px, strips_of(labels), TISSUE)
    return folder
