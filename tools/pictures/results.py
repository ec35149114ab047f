"""What test-app finds on a slide: its GeoJSON, and the slide at the size of a picture."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from coverslip.applications.protocol import InputFile, Item
from coverslip.applications.registry import load_process
from coverslip.slides import open_slide
from coverslip.slides.resampling import read_downsampled

STAGES = ("tissue_qc", "tissue_segmentation")


@dataclass(frozen=True)
class Outlined:
    """A slide at ``scale`` picture pixels per slide pixel, and the features of each stage in slide pixels."""

    image: Image.Image
    scale: float
    features: Mapping[str, list[dict[str, Any]]]


class _Folder:
    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def write(self, name: str, path: Path, metadata: Mapping[str, Any]) -> None:
        """Results stay where they were written."""


def analysed(slide: Path, height_px: int) -> Outlined:
    """Run test-app on a slide, and show it ``height_px`` high."""
    with tempfile.TemporaryDirectory() as folder:
        outputs = _Folder(Path(folder))
        item = Item("picture", slide.name, {"whole_slide_image": InputFile(slide, {})})
        load_process("test-app", "1.0.0")(item, outputs, lambda stage, part: None)
        features = {
            stage: json.loads((outputs.directory / f"{stage}_geojson_polygons.json").read_text())["features"]
            for stage in STAGES
        }
    with open_slide(slide) as opened:
        scale = height_px / opened.info.height_px
        image = Image.fromarray(opened.thumbnail(2 * max(height_px, round(opened.info.width_px * scale))))
        size = (round(opened.info.width_px * scale), height_px)
    return Outlined(image.resize(size, Image.Resampling.LANCZOS), scale, features)


def crop(slide: Path, left: int, top: int, side_px: int) -> Image.Image:
    """A square of the slide at its own resolution."""
    with open_slide(slide) as opened:
        return Image.fromarray(np.asarray(read_downsampled(opened, left, top, side_px, side_px, 1.0)))
