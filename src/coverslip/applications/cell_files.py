"""Write the cells of a slide as files for other programs: GeoJSON for QuPath, GeoParquet for notebooks and databases.

Both hold the same polygons and numbers in the same order, and are written a piece at a time, however many cells there
are: coordinates in hundredths of a level-0 pixel, measurements in ten-thousandths of their unit.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from coverslip.applications.geoparquet import counterclockwise, geometry_columns, open_writer
from coverslip.pathology.cells import NUCLEUS_FEATURES, CellTable
from coverslip.pathology.classes import CELL, TISSUE, ClassColors

COORDINATE_DECIMALS = 2
MEASUREMENT_DECIMALS = 4
CELLS_AT_ONCE = 16_384
"""Cells whose text is in memory at a time, some 800 bytes each and a few times over."""
ROW_GROUP = 65_536
"""Rows of a Parquet row group, which is what a reader of a part of the slide skips or reads."""

CLASS_NAME = pa.dictionary(pa.int8(), pa.string())
PARQUET_FIELDS = {
    "cell_id": pa.int64(),
    "class_name": CLASS_NAME,
    "confidence": pa.float32(),
    "tissue": CLASS_NAME,
    "centroid_x_px": pa.float64(),
    "centroid_y_px": pa.float64(),
    **dict.fromkeys(NUCLEUS_FEATURES, pa.float32()),
}
"""The columns after those of the geometry; ``cell_id`` is the number of the row from 1."""


def write_cell_geojson(path: Path, cells: CellTable) -> None:
    """Write a FeatureCollection (RFC 7946) whose coordinates are level-0 pixels, which QuPath opens as detections.

    A feature's id is the number of its cell from 1. It holds the class with its colour and, as measurements,
    ``confidence`` and all of `NUCLEUS_FEATURES` that are numbers.
    """
    with path.open("wb") as file:
        file.write(b'{"type":"FeatureCollection","features":[')
        for rows in _slices(len(cells), CELLS_AT_ONCE):
            file.write(b",\n" if rows.start else b"\n")
            file.write(_features_text(cells, rows))
        file.write(b"\n]}\n")


def write_cell_parquet(path: Path, cells: CellTable, mpp: float) -> None:
    """Write GeoParquet with the columns `PARQUET_FIELDS`; ``mpp`` is µm per level-0 pixel."""
    with open_writer(path, PARQUET_FIELDS, _bounds(cells), mpp) as writer:
        for rows in _slices(len(cells), ROW_GROUP):
            x, y = _rounded(cells.centroids_px[rows], COORDINATE_DECIMALS).T
            measured = _rounded(cells.features[rows], MEASUREMENT_DECIMALS).astype(np.float32)
            columns = {
                **geometry_columns(polygons_of(cells, rows)),
                "cell_id": pa.array(np.arange(rows.start, rows.stop) + 1),
                "class_name": _names(cells.classes[rows], CELL),
                "confidence": pa.array(_rounded(cells.confidence[rows], MEASUREMENT_DECIMALS).astype(np.float32)),
                "tissue": _names(cells.tissue[rows], TISSUE),
                "centroid_x_px": pa.array(x),
                "centroid_y_px": pa.array(y),
                **{name: pa.array(values) for name, values in zip(NUCLEUS_FEATURES, measured.T, strict=True)},
            }
            writer.write_table(pa.table(columns, schema=writer.schema))


def polygons_of(cells: CellTable, rows: slice) -> NDArray[np.object_]:
    """The outlines of some cells as they are written: closed, rounded, counterclockwise."""
    offsets = cells.outlines.offsets[rows.start : rows.stop + 1]
    vertices = _rounded(cells.outlines.vertices[offsets[0] : offsets[-1]], COORDINATE_DECIMALS)
    owners = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    return counterclockwise(shapely.polygons(shapely.linearrings(vertices, indices=owners)))


def _features_text(cells: CellTable, rows: slice) -> memoryview:
    """The features of some cells with ``,\\n`` between them."""
    values = np.column_stack([cells.features[rows], cells.confidence[rows]])
    classes = pa.array(
        [
            f'"objectType":"detection","classification":{{"name":{json.dumps(name)},"color":{json.dumps(color)}}}'
            for name, color in CELL.items()
        ]
    )
    features = pc.binary_join_element_wise(
        '{"type":"Feature","id":',
        pa.array(np.arange(rows.start, rows.stop) + 1).cast(pa.string()),
        ',"geometry":{"type":"Polygon","coordinates":[[',
        _rings_text(polygons_of(cells, rows)),
        ']]},"properties":{',
        classes.take(pa.array(cells.classes[rows] - 1)),
        ',"measurements":{',
        _measurements_text(values),
        "}}}",
        "",
    )
    return memoryview(pc.binary_join(pa.ListArray.from_arrays([0, len(features)], features), ",\n")[0].as_buffer())


def _rings_text(polygons: NDArray[np.object_]) -> pa.Array:
    """``[x,y],[x,y],…`` of the shell of each polygon."""
    x, y = (_decimal_text(axis, COORDINATE_DECIMALS) for axis in shapely.get_coordinates(polygons).T)
    ends = np.cumsum(shapely.get_num_coordinates(polygons))
    vertices = pc.binary_join_element_wise("[", x, ",", y, "]", "")
    return pc.binary_join(pa.ListArray.from_arrays(pa.array([0, *ends], pa.int32()), vertices), ",")


def _measurements_text(values: NDArray[np.float32]) -> pa.Array:
    """``"name":value,…`` of each row; measurements that are no numbers are left out, as JSON has no word for them."""
    parts = []
    for name, column in zip((*NUCLEUS_FEATURES, "confidence"), values.T, strict=True):
        known = np.isfinite(column)
        text = _decimal_text(np.where(known, column, 0), MEASUREMENT_DECIMALS)
        parts.append(
            pc.if_else(
                pa.array(known), pc.binary_join_element_wise(f'"{name}":', text, ""), pa.scalar(None, pa.string())
            )
        )
    return pc.binary_join_element_wise(*parts, ",", null_handling="skip")


def _decimal_text(values: NDArray[np.floating], decimals: int) -> pa.Array:
    """Finite numbers with that many decimals, as strings; Arrow writes its decimals 20 times as fast as doubles."""
    units = np.rint(values.astype(np.float64) * 10**decimals).astype(np.int64)
    words = np.column_stack([units, units >> 63])  # 128 bits, the lower half first
    decimal = pa.Array.from_buffers(pa.decimal128(18, decimals), len(units), [None, pa.py_buffer(words)])
    return decimal.cast(pa.string())


def _rounded(values: NDArray[np.floating], decimals: int) -> NDArray[np.float64]:
    """The doubles nearest to what `_decimal_text` writes."""
    rounded: NDArray[np.float64] = np.rint(values.astype(np.float64) * 10**decimals) / 10**decimals
    return rounded


def _names(labels: NDArray[np.uint8], classes: ClassColors) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array((labels - 1).astype(np.int8)), pa.array(list(classes)))


def _bounds(cells: CellTable) -> NDArray[np.float64] | None:
    """xmin, ymin, xmax, ymax of all outlines, None without any."""
    if not len(cells):
        return None
    vertices = cells.outlines.vertices
    return _rounded(np.concatenate([vertices.min(axis=0), vertices.max(axis=0)]), COORDINATE_DECIMALS)


def _slices(count: int, step: int) -> Iterator[slice]:
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))
