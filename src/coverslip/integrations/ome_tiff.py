"""Write results as an OME-TIFF pyramid of label maps, which image viewers lay over the slide."""

import tempfile
from pathlib import Path

import cv2
import numpy as np
import shapely
import tifffile
from numpy.typing import NDArray

from coverslip.applications.result_files import (
    CELL_FILE,
    TISSUE_FILE,
    Window,
    check_slide,
    read_cells,
    read_info,
    read_regions,
)
from coverslip.applications.view import SHIFT, View
from coverslip.pathology.classes import CELL, TISSUE, label_of
from coverslip.slides.slide import SlideInfo

AIMED_MPP = 1.0
"""About the µm per pixel of the finest level; the true ones are a whole number of slide pixels."""
STRIP_PX = 2048
"""Rows that are drawn at once."""
TILE_PX = 512
SMALLEST_PX = 1024
"""Levels are added until the longer side is no longer than this."""
CHANNELS = {"tissue": TISSUE, "cells": CELL}


def export_ome_tiff(slide: SlideInfo, name: str, results: Path, out: Path) -> None:
    """Write a uint8 image with the channels tissue and cells, each pixel the label of its class, 0 for none.

    The map annotation of the image names the class of each label. Outlines count as inside. The finest level is spooled
    to a temporary file beside ``out``; memory is bounded, whatever the slide's size.

    Raises
    ------
    ResultMissing, ResultUnreadable, ResultOfAnotherSlide
    """
    for file in (TISSUE_FILE, CELL_FILE):
        check_slide(results, file, slide, name)
    mpp = read_info(results, CELL_FILE).mpp
    step = max(1, round(AIMED_MPP / mpp))
    shape = len(CHANNELS), -(-slide.height_px // step), -(-slide.width_px // step)
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        labels = np.memmap(Path(folder) / "labels", np.uint8, "w+", shape=shape)
        for top in range(0, shape[1], STRIP_PX):
            strip = labels[:, top : top + STRIP_PX]
            window = Window(0, top * step, slide.width_px, strip.shape[1] * step)
            _draw(strip, View(window, step), results)
        _write(out, labels, step * mpp)
        del labels, strip  # Windows deletes no file that is still mapped


def _draw(strip: NDArray[np.uint8], view: View, results: Path) -> None:
    tissue, nuclei = np.zeros(strip.shape[1:], np.uint8), np.zeros(strip.shape[1:], np.uint8)
    regions = read_regions(results, TISSUE_FILE, view.window)
    # A smaller region in the hole of a larger one comes after it, so that neither loses its border to the other's.
    for region in sorted(regions, key=lambda region: -shapely.box(*region.polygon.bounds).area):
        for polygon in view.cut([region.polygon]):
            cv2.fillPoly(tissue, view.rings(polygon), label_of(TISSUE, region.class_name), shift=SHIFT)
    cells = read_cells(results, view.window)
    for nucleus, label in zip(view.nuclei(cells.outlines), cells.classes.tolist(), strict=True):
        cv2.fillPoly(nuclei, [nucleus], label, shift=SHIFT)
    strip[:] = tissue, nuclei


def _write(out: Path, labels: NDArray[np.uint8], mpp: float) -> None:
    steps = [1]
    while max(labels.shape[1:]) > SMALLEST_PX * steps[-1]:
        steps.append(2 * steps[-1])
    names = {
        f"{channel} {label}": class_name
        for channel, classes in CHANNELS.items()
        for label, class_name in enumerate(classes, start=1)
    }
    metadata = {
        "axes": "CYX",
        "Channel": {"Name": list(CHANNELS)},
        "PhysicalSizeX": mpp,
        "PhysicalSizeY": mpp,
        "MapAnnotation": {"Namespace": "coverslip/classes", **names},
    }
    with tifffile.TiffWriter(out, ome=True, bigtiff=labels.size > 2**31) as writer:
        for step in steps:
            writer.write(
                labels[:, ::step, ::step],
                tile=(TILE_PX, TILE_PX),
                photometric="minisblack",
                compression="zlib",
                resolution=(10_000 / (mpp * step), 10_000 / (mpp * step)),
                resolutionunit="CENTIMETER",
                software="coverslip",
                **({"subifds": len(steps) - 1, "metadata": metadata} if step == 1 else {"subfiletype": 1}),
            )
