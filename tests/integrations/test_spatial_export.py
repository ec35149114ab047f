"""AnnData and SpatialData, opened by their libraries."""

from pathlib import Path

import anndata
import numpy as np
import pytest
import shapely
import spatialdata

from coverslip.applications.cell_files import polygons_of
from coverslip.applications.region_files import write_region_parquet
from coverslip.applications.result_files import TISSUE_FILE, TISSUE_QC_FILE, read_cells, read_regions
from coverslip.integrations.errors import NothingToExport
from coverslip.integrations.spatial.export import export_anndata, export_spatialdata
from coverslip.pathology.cells import NUCLEUS_FEATURES
from coverslip.pathology.classes import CELL, TISSUE
from harness.results import cell_table, write_results


def test_anndata_has_a_row_for_each_cell(results: Path, tmp_path: Path) -> None:
    assert export_anndata(results, tmp_path / "cells.h5ad") == 800
    table, cells = anndata.read_h5ad(tmp_path / "cells.h5ad"), read_cells(results)
    assert np.array_equal(table.X, cells.features)
    assert list(table.var_names) == list(NUCLEUS_FEATURES)
    assert np.array_equal(table.obsm["spatial"], cells.centroids_px)
    assert list(table.obs["class_name"].cat.categories) == list(CELL)
    assert np.array_equal(table.obs["class_name"].cat.codes + 1, cells.classes)
    assert np.array_equal(table.obs["tissue"].cat.codes + 1, cells.tissue)
    assert list(table.obs["tissue"].cat.categories) == list(TISSUE)
    assert table.obs_names[0] == "1"
    assert table.uns["coverslip"]["mpp"] == 0.499


def test_spatialdata_has_shapes_in_pixels_and_micrometres(results: Path, tmp_path: Path) -> None:
    assert export_spatialdata(results, tmp_path / "slide.zarr") == 800
    data, cells = spatialdata.read_zarr(tmp_path / "slide.zarr"), read_cells(results)
    assert set(data.coordinate_systems) == {"global", "micrometres"}
    nuclei = data["nuclei"]
    assert shapely.equals_exact(nuclei.geometry.to_numpy(), polygons_of(cells, slice(0, 800)), 0).all()
    assert data["tissue"]["class_name"].tolist() == [region.class_name for region in read_regions(results, TISSUE_FILE)]
    assert data["tissue_qc"]["kind"].tolist() == ["fold", ""]
    in_um = spatialdata.transform(nuclei, to_coordinate_system="micrometres")
    assert np.allclose(in_um.area, nuclei.area * 0.499**2)


def test_what_there_is_none_of_is_left_out(tmp_path: Path) -> None:
    results = write_results(tmp_path / "results", cell_table(0))
    assert export_anndata(results, tmp_path / "cells.h5ad") == 0
    assert export_spatialdata(results, tmp_path / "slide.zarr") == 0
    data = spatialdata.read_zarr(tmp_path / "slide.zarr")
    assert (set(data.shapes), set(data.tables)) == ({"tissue", "tissue_qc"}, set())
    for file in (TISSUE_FILE, TISSUE_QC_FILE):
        write_region_parquet(results / file, [], 0.5)
    with pytest.raises(NothingToExport):
        export_spatialdata(results, tmp_path / "nothing.zarr")


def test_the_table_annotates_the_nuclei(results: Path, tmp_path: Path) -> None:
    export_spatialdata(results, tmp_path / "slide.zarr")
    data = spatialdata.read_zarr(tmp_path / "slide.zarr")
    elements, table = spatialdata.join_spatialelement_table(
        spatial_element_names="nuclei", spatial_elements=data["nuclei"], table=data["cells"], how="inner"
    )
    assert len(elements["nuclei"]) == 800
    assert np.array_equal(table.obs["cell_id"], elements["nuclei"].index)
