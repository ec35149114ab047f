"""Read the downloaded results of a slide back into the model that they were written from."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import shapely
import tifffile
from numpy.typing import NDArray

from coverslip.applications.errors import ResultMissing, ResultOfAnotherSlide, ResultUnreadable
from coverslip.applications.geoparquet import OWN_METADATA
from coverslip.applications.region_files import ClassRegion
from coverslip.pathology.cells import NUCLEUS_FEATURES, CellTable, Outlines
from coverslip.pathology.classes import CELL, TISSUE, ClassColors, label_of
from coverslip.slides.slide import SlideInfo

TISSUE_QC_FILE = "tissue_qc_parquet_polygons.parquet"
TISSUE_FILE = "tissue_segmentation_parquet_polygons.parquet"
TISSUE_MAP_FILE = "tissue_segmentation_segmentation_map_image.tiff"
CELL_FILE = "cell_classification_parquet_polygons.parquet"
OVERHANG_PX = 8.0
"""How far an outline that was drawn on a coarser grid may reach beyond the slide."""


@dataclass(frozen=True)
class Window:
    """A rectangle in level-0 pixels."""

    x_px: int
    y_px: int
    width_px: int
    height_px: int


@dataclass(frozen=True)
class ResultInfo:
    """``mpp``: µm per level-0 pixel; ``right_px`` and ``bottom_px``: how far the polygons reach, 0 without any."""

    mpp: float
    right_px: float
    bottom_px: float


def read_info(folder: Path, name: str) -> ResultInfo:
    """What the Parquet file ``name`` in ``folder`` says about itself.

    Raises
    ------
    ResultMissing, ResultUnreadable
    """
    with _opened(folder, name) as file:
        metadata = file.schema.metadata or {}
        bounds = json.loads(metadata[b"geo"])["columns"]["geometry"].get("bbox", (0.0, 0.0, 0.0, 0.0))
        return ResultInfo(float(json.loads(metadata[OWN_METADATA])["mpp"]), bounds[2], bounds[3])


def check_slide(folder: Path, name: str, slide: SlideInfo, slide_name: str) -> None:
    """Refuse results that lie outside the slide, to which they cannot belong.

    Raises
    ------
    ResultOfAnotherSlide, ResultMissing, ResultUnreadable
    """
    info = read_info(folder, name)
    if info.right_px > slide.width_px + OVERHANG_PX or info.bottom_px > slide.height_px + OVERHANG_PX:
        raise ResultOfAnotherSlide(
            folder=folder,
            x_px=round(info.right_px),
            y_px=round(info.bottom_px),
            slide=slide_name,
            width_px=slide.width_px,
            height_px=slide.height_px,
        )


def read_regions(folder: Path, name: str, window: Window | None = None) -> list[ClassRegion]:
    """The regions of a file, in its order; with ``window`` those whose bounds touch it.

    Raises
    ------
    ResultMissing, ResultUnreadable
    """
    with _opened(folder, name) as file:
        table = file.to_table(columns=["geometry", "class_name", "kind"], filter=_touching(window))
        polygons = shapely.from_wkb(table["geometry"].to_numpy())
        names, kinds = table["class_name"].to_pylist(), table["kind"].to_pylist()
        return [ClassRegion(*region) for region in zip(names, polygons, kinds, strict=True)]


def read_tissue_map(folder: Path) -> tuple[NDArray[np.uint8], int]:
    """The tissue map, uint8 (rows, columns) labels of `TISSUE`, and the level-0 pixels per map pixel and axis.

    Raises
    ------
    ResultMissing, ResultUnreadable
    """
    mpp = read_info(folder, TISSUE_FILE).mpp
    path = _existing(folder, TISSUE_MAP_FILE)
    try:
        with tifffile.TiffFile(path) as file:
            page = file.pages.first
            map_mpp = 10_000 / page.get_resolution("CENTIMETER")[0]
            return page.asarray(), round(map_mpp / mpp)
    except (tifffile.TiffFileError, ValueError, ArithmeticError) as error:
        raise ResultUnreadable(name=path, reason=error) from error


def read_cells(folder: Path, window: Window | None = None) -> CellTable:
    """The cells of `CELL_FILE`, in its order; with ``window`` those whose bounds touch it.

    Takes about 1 kB of memory for each cell while it reads.

    Raises
    ------
    ResultMissing, ResultUnreadable
    """
    columns = ["class_name", "confidence", "tissue", "centroid_x_px", "centroid_y_px", *NUCLEUS_FEATURES]
    vertices, counts, tables = [np.empty((0, 2), np.float32)], [np.zeros(1, np.int64)], []
    with _opened(folder, CELL_FILE) as file:
        # Whatever Arrow reads ahead is in memory at once.
        for batch in file.to_batches(columns=["geometry", *columns], filter=_touching(window), batch_readahead=1):
            rings = shapely.get_exterior_ring(shapely.from_wkb(batch["geometry"].to_numpy(zero_copy_only=False)))
            sizes = shapely.get_num_coordinates(rings)
            points = shapely.get_coordinates(rings)
            vertices.append(np.delete(points, np.cumsum(sizes) - 1, axis=0).astype(np.float32))
            counts.append(sizes - 1)
            tables.append(batch.select(columns))
        table = pa.Table.from_batches(tables, pa.schema([file.schema.field(name) for name in columns]))
        return CellTable(
            centroids_px=np.column_stack([table["centroid_x_px"], table["centroid_y_px"]]),
            classes=_labels(table["class_name"], CELL),
            confidence=table["confidence"].to_numpy(),
            tissue=_labels(table["tissue"], TISSUE),
            features=np.column_stack([table[name] for name in NUCLEUS_FEATURES]),
            outlines=Outlines(np.concatenate(vertices), np.cumsum(np.concatenate(counts))),
        )


@contextmanager
def _opened(folder: Path, name: str) -> Iterator[Any]:
    """The Parquet file as a data set; whatever is wrong with it becomes one error."""
    path = _existing(folder, name)
    try:
        yield ds.dataset(path, format="parquet")
    except (pa.ArrowException, KeyError, OSError, ValueError, shapely.errors.GEOSException) as error:
        raise ResultUnreadable(name=path, reason=error) from error


def _existing(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.is_file():
        raise ResultMissing(name=name, folder=folder)
    return path


def _touching(window: Window | None) -> ds.Expression | None:
    if window is None:
        return None
    return (
        (ds.field("bbox", "xmin") <= window.x_px + window.width_px)
        & (ds.field("bbox", "xmax") >= window.x_px)
        & (ds.field("bbox", "ymin") <= window.y_px + window.height_px)
        & (ds.field("bbox", "ymax") >= window.y_px)
    )


def _labels(names: pa.ChunkedArray, classes: ClassColors) -> NDArray[np.uint8]:
    """Class names as labels of ``classes``."""
    coded = names.unify_dictionaries().combine_chunks()
    labels = np.array([label_of(classes, name) for name in coded.dictionary.to_pylist()], np.uint8)
    of_rows: NDArray[np.uint8] = labels[coded.indices.to_numpy()]
    return of_rows
