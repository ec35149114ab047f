"""The work of the Test Application: two label maps of the slide, each as image, polygons and table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from coverslip.applications.errors import UserError
from coverslip.applications.protocol import Item, Outputs, Progress
from coverslip.applications.region_files import ClassRegion, write_class_information, write_geojson
from coverslip.applications.slide_input import blaming_input, open_input
from coverslip.applications.tissue_maps import map_tissue
from coverslip.pathology.classes import TISSUE, TISSUE_QC, ClassColors, label_of
from coverslip.pathology.polygons import regions_of
from coverslip.pathology.tissue_qc import ARTIFACT, ARTIFACT_KINDS, TissueQuality
from coverslip.slides.pyramid import strips_of, write_label_pyramid
from coverslip.slides.slide import SlideInfo

INPUT = "whole_slide_image"
NO_TISSUE = "No Tissue"
SMOOTHING = 0.75
"""Side of the square, in map pixels, below whose area corners of outlines go: single steps do, and areas stay."""
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
    slide, mpp = open_input(item.inputs[INPUT], item.external_id)
    with slide, blaming_input(item.external_id):
        info = slide.info
        maps = map_tissue(slide, mpp, lambda part: progress("analyse_tiles", READING_SHARE * part))
    without_tissue = (label_of(TISSUE_QC, NO_TISSUE), label_of(TISSUE_QC, "Marker"))
    if np.isin(maps.quality.labels, without_tissue).all():
        raise UserError(
            "INPUT.NO_TISSUE",
            f"No stained tissue was found on {item.external_id}; check that it is the H&E slide of the case and not a "
            "blank, a label or an unstained section.",
        )
    progress("tissue_qc", READING_SHARE)
    frame = _Frame(info, mpp, maps.cell_px)
    _publish("tissue_qc", maps.quality.labels, TISSUE_QC, _quality_regions(maps.quality, frame), frame, outputs)
    progress("tissue_segmentation", 0.9)
    _publish("tissue_segmentation", maps.tissue, TISSUE, _regions(maps.tissue, list(TISSUE), frame), frame, outputs)
    progress("done", 1.0)


@dataclass(frozen=True)
class _Frame:
    """The slide that regions lie on."""

    info: SlideInfo
    mpp: float
    cell_px: int


def _quality_regions(quality: TissueQuality, frame: _Frame) -> list[ClassRegion]:
    """The regions of tissue quality, in which artifacts of different kinds are regions of their own."""
    names, last = list(TISSUE_QC), len(TISSUE_QC)
    labels = np.where(quality.kinds > 0, last + quality.kinds, quality.labels).astype(np.uint8)
    found = _regions(labels, [*names, *ARTIFACT_KINDS], frame)
    return [
        replace(region, class_name=names[ARTIFACT - 1], kind=region.class_name)
        if region.class_name in ARTIFACT_KINDS
        else region
        for region in found
    ]


def _regions(labels: NDArray[np.uint8], names: Sequence[str], frame: _Frame) -> list[ClassRegion]:
    width_px, height_px = frame.info.width_px, frame.info.height_px
    found = regions_of(labels, frame.cell_px, width_px, height_px, SMOOTHING * frame.cell_px)
    return [ClassRegion(names[region.label - 1], region.polygon) for region in found]


def _publish(
    stage: str,
    labels: NDArray[np.uint8],
    classes: ClassColors,
    regions: Sequence[ClassRegion],
    frame: _Frame,
    outputs: Outputs,
) -> None:
    height_px, width_px = labels.shape
    image = outputs.directory / f"{stage}_segmentation_map_image.tiff"
    write_label_pyramid(image, width_px, height_px, frame.mpp * frame.cell_px, strips_of(labels), classes)
    # The map's own resolution stands in its TIFF tags: the contract's resolution_mpp ends at 0.55.
    colors = {name: list(color) for name, color in classes.items()}
    outputs.write(
        f"{stage}:segmentation_map_image",
        image,
        {"media_type": "image/tiff", "width_px": width_px, "height_px": height_px, "class_colors": colors},
    )
    polygons = outputs.directory / f"{stage}_geojson_polygons.json"
    # A polygon of the bare glass would cover the slide in every viewer.
    write_geojson(polygons, [region for region in regions if region.class_name != NO_TISSUE], classes, frame.mpp)
    metadata = {"media_type": "application/geo+json", "polygon_mpp": frame.mpp}
    outputs.write(f"{stage}:geojson_polygons", polygons, metadata)
    table = outputs.directory / f"{stage}_csv_class_information.csv"
    kinds = ARTIFACT_KINDS if classes is TISSUE_QC else ()
    write_class_information(table, regions, classes, frame.mpp, frozenset({NO_TISSUE}), kinds)
    outputs.write(f"{stage}:csv_class_information", table, {"media_type": "text/csv"})
