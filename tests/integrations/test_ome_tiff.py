"""The OME-TIFF of results, opened as OME by tifffile."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
import shapely
import tifffile

from coverslip.applications.cell_files import polygons_of
from coverslip.applications.result_files import TISSUE_FILE, read_cells, read_regions
from coverslip.integrations import ome_tiff
from coverslip.integrations.ome_tiff import export_ome_tiff
from coverslip.pathology.classes import CELL, TISSUE, label_of
from coverslip.slides import open_slide

OME = "{http://www.openmicroscopy.org/Schemas/OME/2016-06}"


@pytest.fixture
def overlay(slide: Path, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(ome_tiff, "STRIP_PX", 200)  # so that there are seams
    with open_slide(slide) as opened:
        export_ome_tiff(opened.info, slide.name, results, tmp_path / "overlay.ome.tif")
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["overlay.ome.tif"]
    return tmp_path / "overlay.ome.tif"


def test_it_is_a_pyramid_with_named_channels_and_size(overlay: Path) -> None:
    with tifffile.TiffFile(overlay) as file:
        assert file.is_ome
        (series,) = file.series
        assert (series.axes, series.shape) == ("CYX", (2, 1484, 1110))
        assert [level.shape for level in series.levels] == [(2, 1484, 1110), (2, 742, 555)]
        finest, coarser = (level.asarray() for level in series.levels)
        assert np.array_equal(coarser, finest[:, ::2, ::2])
        pixels = ElementTree.fromstring(file.ome_metadata).find(f".//{OME}Pixels")
        assert pixels is not None
        assert [channel.get("Name") for channel in pixels.iter(f"{OME}Channel")] == ["tissue", "cells"]
        assert float(pixels.get("PhysicalSizeX", "0")) == pytest.approx(0.998)
        legend = {m.get("K"): m.text for m in ElementTree.fromstring(file.ome_metadata).iter(f"{OME}M")}
    assert legend == {f"tissue {i}": name for i, name in enumerate(TISSUE, 1)} | {
        f"cells {i}": name for i, name in enumerate(CELL, 1)
    }


def test_pixels_are_the_classes_of_what_lies_there(overlay: Path, results: Path) -> None:
    tissue, nuclei = tifffile.imread(overlay)
    for region in read_regions(results, TISSUE_FILE):
        inside = region.polygon.buffer(-4)
        points = shapely.points(*np.mgrid[20:2200:60, 20:2900:60].reshape(2, -1).astype(float))
        x, y = shapely.get_coordinates(points[shapely.contains(inside, points)]).T.astype(int) // 2
        assert (tissue[y, x] == label_of(TISSUE, region.class_name)).all()
    cells = read_cells(results)
    polygons = polygons_of(cells, slice(0, 800))
    one, other = shapely.STRtree(polygons).query(polygons, "intersects")
    alone = ~np.isin(np.arange(800), one[one != other])
    x, y = (cells.centroids_px[alone] // 2).astype(int).T
    assert alone.sum() > 100
    assert np.array_equal(nuclei[y, x], cells.classes[alone])
    area = sum(polygon.area for polygon in polygons) / 4
    assert np.count_nonzero(nuclei) == pytest.approx(area, rel=0.25)


def test_strips_leave_no_seam(
    overlay: Path, slide: Path, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    with open_slide(slide) as opened:
        export_ome_tiff(opened.info, slide.name, results, tmp_path / "whole.ome.tif")
    differing = tifffile.imread(overlay) != tifffile.imread(tmp_path / "whole.ome.tif")
    assert differing.mean() < 1e-4  # OpenCV draws a pixel of an outline otherwise where the picture cuts it
