"""GeoParquet 1.1 files of polygons in level-0 pixels (https://geoparquet.org/releases/v1.1.0).

Every file has the columns ``geometry`` (WKB polygons, shells counterclockwise) and ``bbox`` (their bounds, by which
readers skip what they need not read), and in its metadata ``coverslip``: ``{"mpp": µm per level-0 pixel}``.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray

CORNERS = ("xmin", "ymin", "xmax", "ymax")
GEOMETRY_FIELDS = (
    pa.field("geometry", pa.binary(), nullable=False),
    pa.field("bbox", pa.struct([pa.field(corner, pa.float64(), nullable=False) for corner in CORNERS]), nullable=False),
)
OWN_METADATA = b"coverslip"


@contextmanager
def open_writer(
    path: Path, fields: Mapping[str, pa.DataType], bounds: NDArray[np.float64] | None, mpp: float
) -> Iterator[pq.ParquetWriter]:
    """A writer of tables with the columns `geometry_columns` and then those of ``fields``, compressed with zstd.

    ``bounds`` are xmin, ymin, xmax, ymax of all polygons, None without any; ``mpp`` is µm per level-0 pixel.
    """
    schema = pa.schema(
        [*GEOMETRY_FIELDS, *(pa.field(name, kind) for name, kind in fields.items())],
        {b"geo": json.dumps(_geo(bounds)), OWN_METADATA: json.dumps({"mpp": mpp})},
    )
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        yield writer


def geometry_columns(polygons: NDArray[np.object_]) -> dict[str, pa.Array]:
    """The columns ``geometry`` and ``bbox`` of shapely polygons (n,)."""
    corners = [pa.array(corner) for corner in shapely.bounds(polygons).reshape(-1, 4).T]
    return {
        "geometry": pa.array(shapely.to_wkb(polygons), pa.binary()),
        "bbox": pa.StructArray.from_arrays(corners, fields=list(GEOMETRY_FIELDS[1].type)),
    }


def counterclockwise(polygons: NDArray[np.object_]) -> NDArray[np.object_]:
    """Polygons with shells counterclockwise and holes clockwise by their numbers, as RFC 7946 has them."""
    oriented: NDArray[np.object_] = shapely.orient_polygons(polygons)
    return oriented


def _geo(bounds: NDArray[np.float64] | None) -> dict[str, object]:
    column: dict[str, object] = {
        "encoding": "WKB",
        "geometry_types": ["Polygon"],
        "crs": None,  # pixels lie nowhere on the Earth
        "edges": "planar",
        "orientation": "counterclockwise",
        "covering": {"bbox": {corner: ["bbox", corner] for corner in CORNERS}},
    }
    if bounds is not None:
        column["bbox"] = bounds.tolist()
    return {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
