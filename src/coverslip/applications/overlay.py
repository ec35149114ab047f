"""Draw results over the pixels of their slide: outlines in the colours of the classes, with a legend."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray

from coverslip.applications.errors import RegionOutside
from coverslip.applications.overlay_layer import Layer
from coverslip.applications.overlay_legend import Entry, with_legend
from coverslip.applications.region_files import ClassRegion
from coverslip.applications.result_files import (
    CELL_FILE,
    TISSUE_FILE,
    TISSUE_QC_FILE,
    Window,
    check_slide,
    read_cells,
    read_info,
    read_regions,
)
from coverslip.applications.view import SHIFT, View
from coverslip.pathology.cells import CellTable
from coverslip.pathology.classes import CELL, TISSUE, TISSUE_QC, ClassColors
from coverslip.slides.resampling import read_downsampled
from coverslip.slides.slide import Slide, SlideInfo

TINT = 0.3
"""Share of the class colour inside a region, which leaves the tissue to be seen."""
LEAST_OUTLINED_PX = 6.0
"""Where nuclei are usually less wide in the picture, they are filled instead of outlined."""
MEASURED = 1000
"""Nuclei that are enough to tell the usual width."""

REGION_LAYERS = {
    Layer.TISSUE: (TISSUE_FILE, TISSUE, "Tissue"),
    Layer.QC: (TISSUE_QC_FILE, TISSUE_QC, "Tissue quality"),
}
"""File, classes and heading, in the order in which they are drawn."""


def draw_overlay(
    slide: Slide, name: str, results: Path, layers: Sequence[Layer], region: Window | None, max_px: int
) -> NDArray[np.uint8]:
    """The slide with its results and a legend beside it.

    Parameters
    ----------
    slide, name
        The open slide, and what it is called in errors.
    results
        The folder with the downloaded files of the slide.
    layers
        What to draw.
    region
        The part to show; what of it lies outside the slide is cut off. None for the whole slide.
    max_px
        The longer side of the picture without the legend; level-0 pixels are never magnified.

    Returns
    -------
    uint8 (h, w, 3), RGB.

    Raises
    ------
    RegionOutside, ResultMissing, ResultUnreadable, ResultOfAnotherSlide, SlideUnreadable
    """
    window = _inside(region, slide.info, name)
    view = View(window, max(1.0, max(window.width_px, window.height_px) / max_px))
    files = [REGION_LAYERS[layer][0] if layer in REGION_LAYERS else CELL_FILE for layer in layers]
    for file in files:
        check_slide(results, file, slide.info, name)
    picture = read_downsampled(slide, window.x_px, window.y_px, window.width_px, window.height_px, view.downsample)
    legend = []
    for layer, (file, classes, heading) in REGION_LAYERS.items():
        if layer in layers:
            area_px = _draw_regions(picture, read_regions(results, file, window), classes, view)
            pixel_mm2 = (read_info(results, file).mpp / 1000) ** 2
            # The font of the legend has no superscripts.
            entries = [Entry(c, classes[c], f"{area * pixel_mm2:,.3f} sq mm") for c, area in area_px.items() if area]
            legend.append((heading, entries))
    if Layer.CELLS in layers:
        count = _draw_cells(picture, read_cells(results, window), view)
        legend.append(("Cells", [Entry(c, CELL[c], f"{cells:,}") for c, cells in count.items() if cells]))
    return with_legend(picture, legend)


def _inside(region: Window | None, slide: SlideInfo, name: str) -> Window:
    if region is None:
        return Window(0, 0, slide.width_px, slide.height_px)
    left, top = max(0, region.x_px), max(0, region.y_px)
    right = min(slide.width_px, region.x_px + region.width_px)
    bottom = min(slide.height_px, region.y_px + region.height_px)
    if right <= left or bottom <= top:
        told = f"{region.x_px},{region.y_px},{region.width_px},{region.height_px}"
        raise RegionOutside(region=told, slide=name, width_px=slide.width_px, height_px=slide.height_px)
    return Window(left, top, right - left, bottom - top)


def _draw_regions(
    picture: NDArray[np.uint8], regions: Sequence[ClassRegion], classes: ClassColors, view: View
) -> dict[str, float]:
    """Draw regions and sum their areas in view for each class, in square level-0 pixels."""
    shapes = {name: view.cut([region.polygon for region in regions if region.class_name == name]) for name in classes}
    for name, polygons in shapes.items():
        inside = np.zeros(picture.shape[:2], np.uint8)
        for polygon in polygons:
            cv2.fillPoly(inside, view.rings(polygon), 1, shift=SHIFT)
        shown = inside > 0
        picture[shown] = ((1 - TINT) * picture[shown] + TINT * np.array(classes[name])).astype(np.uint8)
    for name, polygons in shapes.items():
        rings = [ring for polygon in polygons for ring in view.rings(polygon)]
        cv2.polylines(picture, rings, True, classes[name], 2, cv2.LINE_AA, SHIFT)
    return {name: float(shapely.area(polygons).sum()) for name, polygons in shapes.items()}


def _draw_cells(picture: NDArray[np.uint8], cells: CellTable, view: View) -> dict[str, int]:
    """Draw nuclei and count them for each class."""
    nuclei = view.nuclei(cells.outlines)
    some = nuclei[:: 1 + len(nuclei) // MEASURED]
    usual_px = np.median([np.ptp(nucleus, axis=0).mean() for nucleus in some] or [0]) / (1 << SHIFT)
    count = {}
    for label, (name, color) in enumerate(CELL.items(), start=1):
        chosen = [nuclei[row] for row in np.flatnonzero(cells.classes == label)]
        if usual_px >= LEAST_OUTLINED_PX:
            cv2.polylines(picture, chosen, True, color, 1, cv2.LINE_AA, SHIFT)
        else:
            for nucleus in chosen:
                cv2.fillPoly(picture, [nucleus], color, cv2.LINE_AA, SHIFT)
        count[name] = len(chosen)
    return count
