"""DICOM objects: checked by dicom3tools' validator, and read back by highdicom."""

import shutil
import subprocess
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from highdicom.spatial import ImageToReferenceTransformer, ReferenceToImageTransformer

from coverslip.applications.result_files import read_cells, read_tissue_map
from coverslip.integrations.dicom.export import DicomExport, export_dicom
from coverslip.integrations.dicom.source import source_image
from coverslip.integrations.errors import NothingToExport, SlidePacked
from coverslip.pathology.cells import NUCLEUS_FEATURES
from coverslip.pathology.classes import CELL, TISSUE
from coverslip.slides import open_slide
from coverslip.slides.pyramid import strips_of, write_label_pyramid
from harness.results import cell_table, write_results

DICOM_WIDTH_PX, DICOM_HEIGHT_PX, DICOM_MPP = 2054, 1529, 8.0
"""About that of the DICOM slide, which is a coarse level."""


@pytest.fixture(scope="module")
def exported(slide: Path, results: Path, tmp_path_factory: pytest.TempPathFactory) -> DicomExport:
    return export_dicom(slide, results, tmp_path_factory.mktemp("dicom") / "new")


@pytest.fixture(scope="module")
def dicom_slide(slides: Path) -> Path:
    return slides / "TCGA-LUAD_86-6562_volume_8mpp.dcm"


@pytest.fixture(scope="module")
def of_dicom(dicom_slide: Path, tmp_path_factory: pytest.TempPathFactory) -> DicomExport:
    folder = tmp_path_factory.mktemp("dicom")
    cells = cell_table(200, DICOM_WIDTH_PX, DICOM_HEIGHT_PX, 0.5)
    results = write_results(folder / "results", cells, DICOM_WIDTH_PX, DICOM_HEIGHT_PX, DICOM_MPP)
    return export_dicom(dicom_slide, results, folder)


def assert_valid(file: Path) -> None:
    validator = shutil.which("dciodvfy")
    if validator is None:
        pytest.skip("dciodvfy of dicom3tools is not installed")
    told = subprocess.run([validator, str(file)], capture_output=True, text=True, check=False).stderr
    assert not [line for line in told.splitlines() if line.startswith("Error")], told


def test_the_validator_finds_no_error(exported: DicomExport, of_dicom: DicomExport) -> None:
    for file in (*exported.files, *of_dicom.files):
        assert_valid(file)


def test_annotations_come_back_with_classes_polygons_and_measurements(exported: DicomExport, results: Path) -> None:
    cells, names = read_cells(results), list(CELL)
    annotations = highdicom.ann.annread(exported.files[0])
    # The segmentation says where its pixels of 8 level-0 pixels lie; the slide itself is no DICOM.
    to_map = ReferenceToImageTransformer.for_image(pydicom.dcmread(exported.files[1]), for_total_pixel_matrix=True)
    groups = annotations.get_annotation_groups()
    assert [group.label for group in groups] == names
    for label, group in enumerate(groups, start=1):
        rows = np.flatnonzero(cells.classes == label)
        assert group.NumberOfAnnotations == len(rows)
        for row, polygon_mm in zip(rows, group.get_graphic_data("3D"), strict=True):
            vertices = cells.outlines.vertices[cells.outlines.offsets[row] : cells.outlines.offsets[row + 1]]
            assert np.abs(8 * to_map(polygon_mm)[:, :2] - vertices).max() < 0.01
        measured_names, values, units = group.get_measurements()
        assert len(measured_names) == len(NUCLEUS_FEATURES) + 1
        area = [name.value for name in measured_names].index("42798000")
        assert units[area].value == "um2"
        assert np.array_equal(values[:, area], cells.feature("area_um2")[rows])


def test_segmentation_comes_back_as_the_tissue_map(exported: DicomExport, results: Path) -> None:
    segmentation = highdicom.seg.segread(exported.files[1])
    labels, cell_px = read_tissue_map(results)
    found = segmentation.get_total_pixel_matrix(combine_segments=True)
    assert np.array_equal(found, labels)
    described = [segmentation.get_segment_description(number) for number in segmentation.segment_numbers]
    assert [segment.segment_label for segment in described] == list(TISSUE)
    origin = segmentation.TotalPixelMatrixOriginSequence[0]
    assert float(origin.XOffsetInSlideCoordinateSystem) == pytest.approx(cell_px / 2 * 0.000499)


def test_a_slide_that_is_no_dicom_keeps_its_identifiers(
    exported: DicomExport, slide: Path, results: Path, tmp_path: Path
) -> None:
    assert exported.is_made_up
    again = export_dicom(slide, results, tmp_path)
    headers = [pydicom.dcmread(file, stop_before_pixels=True) for file in (*exported.files, *again.files)]
    assert len({header.StudyInstanceUID for header in headers}) == 1
    assert len({header.FrameOfReferenceUID for header in headers}) == 1
    assert len({header.SOPInstanceUID for header in headers}) == 4
    references = {header.ReferencedSeriesSequence[0].SeriesInstanceUID for header in headers}
    assert len(references) == 1


def test_a_dicom_slide_is_referred_to(of_dicom: DicomExport, dicom_slide: Path) -> None:
    assert not of_dicom.is_made_up
    source = pydicom.dcmread(dicom_slide, stop_before_pixels=True)
    for file in of_dicom.files:
        header = pydicom.dcmread(file, stop_before_pixels=True)
        assert header.StudyInstanceUID == source.StudyInstanceUID
        assert header.PatientID == source.PatientID
        assert header.FrameOfReferenceUID == source.FrameOfReferenceUID
        (series,) = header.ReferencedSeriesSequence
        assert series.SeriesInstanceUID == source.SeriesInstanceUID
        assert series.ReferencedInstanceSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
    to_slide = ImageToReferenceTransformer.for_image(source, for_total_pixel_matrix=True)
    cells = cell_table(200, DICOM_WIDTH_PX, DICOM_HEIGHT_PX, 0.5)
    first = np.flatnonzero(cells.classes == cells.classes.min())[0]
    expected_mm = to_slide(cells.outlines.vertices[cells.outlines.offsets[first] : cells.outlines.offsets[first + 1]])
    polygon_mm = highdicom.ann.annread(of_dicom.files[0]).get_annotation_groups()[0].get_graphic_data("3D")[0]
    assert np.abs(polygon_mm - expected_mm).max() < 0.01 * DICOM_MPP / 1000


def test_what_there_is_none_of_is_left_out(slide: Path, tmp_path: Path) -> None:
    results = write_results(tmp_path / "results", cell_table(0), 2220, 2967, 0.499)
    assert [file.name for file in export_dicom(slide, results, tmp_path / "out").files] == ["tissue.dcm"]
    nothing = np.zeros((371, 278), np.uint8)
    image = results / "tissue_segmentation_segmentation_map_image.tiff"
    write_label_pyramid(image, 278, 371, 8 * 0.499, strips_of(nothing), TISSUE)
    with pytest.raises(NothingToExport):
        export_dicom(slide, results, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_zip_archive_has_to_be_unpacked(slide: Path) -> None:
    with open_slide(slide) as opened:
        info = opened.info
    packed = type(info)(**{**vars(info), "media_type": "application/zip"})
    with pytest.raises(SlidePacked, match="unpack it"):
        source_image(slide, packed, 0.499)
