"""The work of the Test Application: two label maps of the slide, each as image, polygons and table."""

import numpy as np
from numpy.typing import NDArray

from coverslip.applications.errors import UserError
from coverslip.applications.protocol import Item, Outputs, Progress
from coverslip.applications.region_files import write_class_information, write_geojson
from coverslip.applications.slide_input import open_input
from coverslip.applications.tissue_maps import map_tissue
from coverslip.pathology.classes import TISSUE, TISSUE_QC, ClassColors, label_of
from coverslip.pathology.polygons import regions_of
from coverslip.slides.errors import SlideError
from coverslip.slides.pyramid import strips_of, write_label_pyramid
from coverslip.slides.slide import SlideInfo

INPUT = "whole_slide_image"
NO_TISSUE = "No Tissue"
READING_SHARE = 0.8
"""Part of the whole time that reading and measuring the tiles takes."""


def process_slide(item: Item, outputs: Outputs, progress: Progress) -> None:
    """Analyse one slide and publish six artifacts, those of tissue quality control first.

    Raises
    ------
    UserError
        If the slide is unreadable, contradicts its metadata, or holds no tissue.
    """
    progress("open_slide", 0.0)
    slide, mpp = open_input(item.inputs[INPUT])
    with slide:
        info = slide.info
        try:
            maps = map_tissue(slide, mpp, lambda part: progress("analyse_tiles", READING_SHARE * part))
        except SlideError as error:
            raise UserError(error.code, str(error)) from error
    without_tissue = (label_of(TISSUE_QC, NO_TISSUE), label_of(TISSUE_QC, "Marker"))
    if np.isin(maps.tissue_qc, without_tissue).all():
        raise UserError(
            "INPUT.NO_TISSUE",
            "No stained tissue was found on the slide; check that it is the H&E slide of the case and not a blank, a "
            "label or an unstained section.",
        )
    progress("tissue_qc", READING_SHARE)
    _publish("tissue_qc", maps.tissue_qc, TISSUE_QC, maps.cell_px, info, mpp, outputs)
    progress("tissue_segmentation", 0.9)
    _publish("tissue_segmentation", maps.tissue, TISSUE, maps.cell_px, info, mpp, outputs)
    progress("done", 1.0)


def _publish(
    stage: str,
    labels: NDArray[np.uint8],
    classes: ClassColors,
    cell_px: int,
    info: SlideInfo,
    mpp: float,
    outputs: Outputs,
) -> None:
    height_px, width_px = labels.shape
    image = outputs.directory / f"{stage}_segmentation_map_image.tiff"
    write_label_pyramid(image, width_px, height_px, mpp * cell_px, strips_of(labels), classes)
    # The map's own resolution stands in its TIFF tags: the contract's resolution_mpp ends at 0.55.
    colors = {name: list(color) for name, color in classes.items()}
    outputs.write(
        f"{stage}:segmentation_map_image",
        image,
        {"media_type": "image/tiff", "width_px": width_px, "height_px": height_px, "class_colors": colors},
    )
    regions = regions_of(labels, cell_px, info.width_px, info.height_px, tolerance_px=float(cell_px))
    polygons = outputs.directory / f"{stage}_geojson_polygons.json"
    # A polygon of the bare glass would cover the slide in every viewer.
    shown = [region for region in regions if list(classes)[region.label - 1] != NO_TISSUE]
    write_geojson(polygons, shown, classes, mpp)
    outputs.write(f"{stage}:geojson_polygons", polygons, {"media_type": "application/geo+json", "polygon_mpp": mpp})
    table = outputs.directory / f"{stage}_csv_class_information.csv"
    write_class_information(table, regions, classes, mpp, frozenset({NO_TISSUE}))
    outputs.write(f"{stage}:csv_class_information", table, {"media_type": "text/csv"})
