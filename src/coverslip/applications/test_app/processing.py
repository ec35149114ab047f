"""The work of the Test Application: two label maps of the slide, each as image, polygons and table."""

from coverslip.applications.protocol import Item, Outputs, Progress
from coverslip.applications.slide_input import blaming_input, check_stain, check_tissue, open_input
from coverslip.applications.tissue_artifacts import MapFrame, publish_maps, quality_regions, tissue_regions
from coverslip.applications.tissue_maps import OVERVIEW_PX, map_tissue

INPUT = "whole_slide_image"
READING_SHARE = 0.8
"""Part of the whole time that reading and measuring the tiles takes."""


def process_slide(item: Item, outputs: Outputs, progress: Progress) -> None:
    """Analyse one slide and publish six artifacts, those of tissue quality control first.

    Raises
    ------
    UserError
        If the slide is unreadable, contradicts its metadata, cannot be H&E, or holds no tissue.
    """
    progress("open_slide", 0.0)
    slide, mpp = open_input(item.inputs[INPUT], item.external_id)
    with slide, blaming_input(item.external_id):
        overview = slide.thumbnail(OVERVIEW_PX)
        check_stain(overview, item.external_id)
        maps = map_tissue(slide, mpp, overview, lambda part: progress("analyse_tiles", READING_SHARE * part))
        frame = MapFrame(slide.info, mpp, maps.cell_px)
    check_tissue(maps.quality.labels, item.external_id)
    progress("tissue_qc", READING_SHARE)
    publish_maps("tissue_qc", maps.quality.labels, quality_regions(maps.quality, frame), frame, outputs)
    progress("tissue_segmentation", 0.9)
    publish_maps("tissue_segmentation", maps.tissue, tissue_regions(maps.tissue, frame), frame, outputs)
    progress("done", 1.0)
