"""Write the results of a slide for the tools of scverse: a table of cells, alone or with all shapes."""

import warnings
from pathlib import Path

import anndata
import geopandas
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from spatialdata import SpatialData
from spatialdata.models import ShapesModel, TableModel
from spatialdata.transformations import Identity, Scale

from coverslip.applications.cell_files import polygons_of
from coverslip.applications.region_files import ClassRegion
from coverslip.applications.result_files import (
    CELL_FILE,
    TISSUE_FILE,
    TISSUE_QC_FILE,
    read_cells,
    read_info,
    read_regions,
)
from coverslip.integrations.errors import NothingToExport
from coverslip.pathology.cells import NUCLEUS_FEATURES, CellTable
from coverslip.pathology.classes import CELL, TISSUE, ClassColors

NUCLEI = "nuclei"


def export_anndata(results: Path, out: Path) -> int:
    """Write an ``.h5ad`` file with a row for each cell, and count them.

    ``X`` holds `NUCLEUS_FEATURES`, ``obs`` class, confidence and tissue, ``obsm["spatial"]`` the centroids in level-0
    pixels, ``uns["coverslip"]["mpp"]`` µm per such pixel.

    Raises
    ------
    ResultMissing, ResultUnreadable
    """
    cells = read_cells(results)
    _table(cells, read_info(results, CELL_FILE).mpp).write_h5ad(out)
    return len(cells)


def export_spatialdata(results: Path, out: Path) -> int:
    """Write a new Zarr store and count the cells in it.

    As far as there are any, it has the shapes ``nuclei``, ``tissue`` and ``tissue_qc``, and the table ``cells``, which
    annotates the nuclei. The shapes are in level-0 pixels, the coordinate system ``global``, and are scaled to that
    called ``micrometres``.

    Raises
    ------
    NothingToExport, ResultMissing, ResultUnreadable
    """
    cells, mpp = read_cells(results), read_info(results, CELL_FILE).mpp
    nuclei = geopandas.GeoDataFrame(geometry=polygons_of(cells, slice(0, len(cells))), index=_ids(cells))
    frames = {
        NUCLEI: nuclei,
        "tissue": _frame(read_regions(results, TISSUE_FILE)),
        "tissue_qc": _frame(read_regions(results, TISSUE_QC_FILE)),
    }
    shapes = {name: _shapes(frame, mpp) for name, frame in frames.items() if len(frame)}
    if not shapes:
        raise NothingToExport(folder=results)
    tables = {"cells": _annotating(cells, mpp)} if len(cells) else {}
    with warnings.catch_warnings():
        # What the next version of Zarr will do otherwise is no concern of whoever exports.
        warnings.filterwarnings("ignore", message="zarr v3 autosharding")
        SpatialData(shapes=shapes, tables=tables).write(out)
    return len(cells)


def _annotating(cells: CellTable, mpp: float) -> anndata.AnnData:
    """The table of cells, each row of which points to its nucleus."""
    table = _table(cells, mpp)
    table.obs["cell_id"] = _ids(cells)
    table.obs["region"] = pd.Categorical([NUCLEI] * len(cells))
    return TableModel.parse(table, region=NUCLEI, region_key="region", instance_key="cell_id")


def _table(cells: CellTable, mpp: float) -> anndata.AnnData:
    described = pd.DataFrame(
        {
            "class_name": _names(cells.classes, CELL),
            "confidence": cells.confidence,
            "tissue": _names(cells.tissue, TISSUE),
        },
        index=_ids(cells).astype(str),
    )
    return anndata.AnnData(
        X=cells.features,
        obs=described,
        var=pd.DataFrame(index=list(NUCLEUS_FEATURES)),
        obsm={"spatial": cells.centroids_px},
        uns={"coverslip": {"mpp": mpp}},
    )


def _ids(cells: CellTable) -> NDArray[np.int64]:
    """The numbers of the cells, from 1, as all files have them."""
    return np.arange(1, len(cells) + 1)


def _names(labels: NDArray[np.uint8], classes: ClassColors) -> pd.Categorical:
    return pd.Categorical.from_codes(labels.astype(np.int8) - 1, list(classes))


def _frame(regions: list[ClassRegion]) -> geopandas.GeoDataFrame:
    return geopandas.GeoDataFrame(
        {"class_name": [r.class_name for r in regions], "kind": [r.kind or "" for r in regions]},
        geometry=np.array([r.polygon for r in regions], object),
    )


def _shapes(frame: geopandas.GeoDataFrame, mpp: float) -> geopandas.GeoDataFrame:
    to_micrometres = Scale([mpp, mpp], axes=("x", "y"))
    return ShapesModel.parse(frame, transformations={"global": Identity(), "micrometres": to_micrometres})
