"""Write the pictures of test-app's results into docs/pictures: `python tools/pictures SLIDE`.

SLIDE is CMU-1-Small-Region.svs of OpenSlide's test data (CC0 1.0). Everything shown is made by the program itself.
"""

import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from drawing import outlined, side_by_side
from PIL import Image
from results import analysed, crop

from coverslip.pathology.classes import TISSUE, TISSUE_QC, Rgb
from coverslip.slides.phantom import PenColor, PhantomOptions, write_phantom

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
PANEL_PX = 640
QUALITY = 85
MOST_BYTES = 250_000
DETAIL_PX = 600
SLIDE_DETAIL, PHANTOM_DETAIL = (480, 2050), (3420, 3000)
"""Left and top in slide pixels: epithelium beside stroma."""
PHANTOM = PhantomOptions(width_px=8192, height_px=8192, seed=204, pen_color=PenColor.RED)


def main() -> None:
    """Write all pictures."""
    slide = Path(sys.argv[1])
    found = analysed(slide, PANEL_PX)
    _write(
        "test-app-on-skin.jpg",
        [
            ("skin, H&E", found.image),
            ("tissue quality", outlined(found.image, found.scale, found.features["tissue_qc"])),
            ("tissue", outlined(found.image, found.scale, found.features["tissue_segmentation"])),
        ],
        _shown(found.features["tissue_qc"], TISSUE_QC) | _shown(found.features["tissue_segmentation"], TISSUE),
    )
    with tempfile.TemporaryDirectory() as folder:
        phantom = write_phantom(Path(folder) / "phantom.tif", PHANTOM).slide
        found = analysed(phantom, PANEL_PX)
        _write(
            "test-app-on-phantom.jpg",
            [
                ("phantom", found.image),
                ("tissue quality", outlined(found.image, found.scale, found.features["tissue_qc"])),
            ],
            _shown(found.features["tissue_qc"], TISSUE_QC),
        )
        details = [
            (title, crop(path, *place, DETAIL_PX))
            for title, path, place in (("skin, H&E", slide, SLIDE_DETAIL), ("phantom", phantom, PHANTOM_DETAIL))
        ]
        _write("phantom-beside-tissue.jpg", details, {})


def _shown(features: Sequence[Mapping[str, Any]], classes: Mapping[str, Rgb]) -> dict[str, Rgb]:
    """The classes that occur, in their own order."""
    names = {feature["properties"]["classification"]["name"] for feature in features}
    return {name: color for name, color in classes.items() if name in names}


def _write(name: str, panels: Sequence[tuple[str, Image.Image]], legend: Mapping[str, Rgb]) -> None:
    path = FOLDER / name
    side_by_side(panels, legend).save(path, quality=QUALITY, optimize=True)
    if path.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{name} has {path.stat().st_size} bytes, more than {MOST_BYTES}; lower its size or quality")
    print(path)


if __name__ == "__main__":
    main()
