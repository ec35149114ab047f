"""Write the results of a slide as DICOM files."""

import warnings
from dataclasses import dataclass
from pathlib import Path

from coverslip.applications.result_files import CELL_FILE, check_slide, read_cells, read_info, read_tissue_map
from coverslip.integrations.dicom.annotations import cell_annotations
from coverslip.integrations.dicom.segmentation import tissue_segmentation
from coverslip.integrations.dicom.source import source_image
from coverslip.integrations.errors import NothingToExport
from coverslip.slides.opening import open_slide


@dataclass(frozen=True)
class DicomExport:
    """The files written; ``is_made_up``: whether they refer to an image of which no DICOM file exists."""

    files: tuple[Path, ...]
    is_made_up: bool


def export_dicom(slide_path: Path, results: Path, out: Path) -> DicomExport:
    """Write ``cells.dcm`` (annotations) and ``tissue.dcm`` (segmentation) into the folder ``out``, made if need be.

    Where there are no cells, or no tissue, that file is left out. All cells are in memory, some 1.5 kB each.

    Raises
    ------
    NothingToExport, SlidePacked, ResultMissing, ResultUnreadable, ResultOfAnotherSlide, SlideError
    """
    with open_slide(slide_path) as slide:
        info = slide.info
    check_slide(results, CELL_FILE, info, slide_path.name)
    source = source_image(slide_path, info, read_info(results, CELL_FILE).mpp)
    cells, (labels, cell_px) = read_cells(results), read_tissue_map(results)
    if not len(cells) and not labels.any():
        raise NothingToExport(folder=results)
    out.mkdir(parents=True, exist_ok=True)
    files = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # highdicom's, about names of patients that are copied as they are
        if len(cells):
            files.append(out / "cells.dcm")
            cell_annotations(cells, source.header).save_as(files[-1])
        if labels.any():
            files.append(out / "tissue.dcm")
            tissue_segmentation(labels, cell_px, source.header).save_as(files[-1])
    return DicomExport(tuple(files), source.is_made_up)
