"""The labelled fields that the network may learn from, brought to 0.5 µm per pixel.

Only images under CC0 or BSD terms are taken; what the manifest marks as non-commercial is refused.
"""

import importlib.util
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray

from training.nuclei.staining import Density, density_of, is_single_stain
from training.nuclei.tightening import tightened

MPP = 0.5
FREE_LICENCES = ("CC0-1.0", "BSD-3-Clause")
PACKAGE_DATA = Path(importlib.util.find_spec("histolytics").submodule_search_locations[0]) / "data"
"""The sample data of histolytics 0.3.0 (BSD-3-Clause, Copyright (c) 2024-2025, HautaniemiLab), found without importing
the package, which needs much else."""
OVARIAN_MPP = 0.25
USUAL_AREA_UM2 = 32.0
"""Median area of nuclei to which fields of unknown resolution are scaled; a nucleus of 6.4 µm diameter."""
COMPACT_PX = 11
"""Diameter of the largest disc that fits into anything that may be a nucleus, at 0.25 µm per pixel."""
KERATIN_PX = (
    [
        *((1450, 960), (1590, 910), (1610, 1020), (1580, 1130), (1600, 1200), (1580, 1290), (1640, 1370), (1740, 1320)),
        *((1780, 1390), (1680, 1480), (1560, 1620), (1360, 1840), (1300, 1840), (1200, 1720), (1175, 1640)),
        *((1230, 1420), (1290, 1250), (1350, 1120)),
    ],
    [(1210, 2060), (1240, 2000), (1310, 1970), (1330, 2010), (1290, 2090), (1230, 2130)],
)
"""Outlines of keratin in CMU-1-Small-Region, level-0 pixels, drawn by eye."""


@dataclass(frozen=True)
class LabelledField:
    """``rgb``: uint8 (h, w, 3); ``labels``: int32 instances, 0 background; ``known``: where the labels can be
    trusted."""

    name: str
    rgb: NDArray[np.uint8]
    labels: NDArray[np.int32]
    known: NDArray[np.bool_]

    @cached_property
    def density(self) -> Density:
        """Optical density (h, w, 3)."""
        return density_of(self.rgb)

    @cached_property
    def single_stain(self) -> bool:
        """Whether it shows one stain only, as no H&E does."""
        return is_single_stain(self.density)

    @cached_property
    def tight(self) -> NDArray[np.int32]:
        """``labels``, drawn in to where the stain ends."""
        return tightened(self.density, self.labels)


def read_fields(shared: Path) -> list[LabelledField]:
    """All fields with nucleus labels under ``shared`` that may train what ships."""
    return [*_dsb_fields(shared / "eval/nuclei"), *_ovarian_fields(shared / "eval/nuclei_classes_hgsc")]


def read_keratin(slide_rgb: NDArray[np.uint8]) -> list[LabelledField]:
    """The keratin of CMU-1-Small-Region, uint8 (h, w, 3) at level 0: it holds no nucleus."""
    fields = []
    for number, outline in enumerate(KERATIN_PX):
        corners = np.array(outline)
        left, top = corners.min(axis=0)
        right, bottom = corners.max(axis=0)
        known = np.zeros((bottom - top, right - left), np.uint8)
        cv2.fillPoly(known, [(corners - (left, top)).astype(np.int32)], (1,))
        rgb = np.ascontiguousarray(slide_rgb[top:bottom, left:right])
        fields.append(LabelledField(f"keratin {number}", rgb, np.zeros(known.shape, np.int32), known > 0))
    return fields


def _dsb_fields(folder: Path) -> list[LabelledField]:
    fields = []
    for entry in json.loads((folder / "manifest.json").read_text()):
        if entry["licence"] not in FREE_LICENCES:
            continue
        rgb = _read_rgb(folder / f"{entry['name']}.png")
        labels = _read_labels(folder / f"{entry['name']}_labels.png")
        scale = float(np.sqrt(USUAL_AREA_UM2 / MPP**2 / entry["median_area_px"]))
        fields.append(_scaled(entry["name"], rgb, labels, np.ones(labels.shape, bool), scale))
    return fields


def _ovarian_fields(nest: Path) -> list[LabelledField]:
    stroma, cells = (PACKAGE_DATA / name for name in ("hgsc_stromal_he.jpg", "hgsc_stromal_cells.parquet"))
    outlines = shapely.from_wkb(pq.read_table(cells, columns=["geometry"])["geometry"].to_pylist())
    pairs = {
        "hgsc_nest": (_read_rgb(nest / "hgsc_nest.jpg"), _read_labels(nest / "hgsc_nest_labels.png")),
        "hgsc_stromal": (rgb := _read_rgb(stroma), _drawn(outlines, rgb.shape[:2])),
    }
    return [
        _scaled(name, rgb, labels, ~_doubtful(rgb, labels), OVARIAN_MPP / MPP) for name, (rgb, labels) in pairs.items()
    ]


def _doubtful(rgb: NDArray[np.uint8], labels: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Where labels that come from a model, which left out some nuclei, cannot be trusted: what is as dark and as
    compact as a nucleus, but unlabelled. Cytoplasm is neither, and must be learnt as background."""
    grey = cv2.GaussianBlur(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (0, 0), 2)
    dark = (grey < np.percentile(grey[labels > 0], 45)) & (labels == 0)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (COMPACT_PX, COMPACT_PX))
    compact = cv2.morphologyEx(dark.astype(np.uint8), cv2.MORPH_OPEN, disc)
    return np.asarray(cv2.dilate(compact, np.ones((5, 5), np.uint8)) > 0)


def _drawn(outlines: Iterable[shapely.Polygon], shape: tuple[int, ...]) -> NDArray[np.int32]:
    labels = np.zeros(shape, np.int32)
    for number, outline in enumerate(outlines, start=1):
        cv2.fillPoly(labels, [shapely.get_coordinates(outline.exterior).round().astype(np.int32)], (number,))
    return labels


def _read_rgb(path: Path) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB), np.uint8)


def _read_labels(path: Path) -> NDArray[np.int32]:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), np.int32)


def _scaled(
    name: str, rgb: NDArray[np.uint8], labels: NDArray[np.int32], known: NDArray[np.bool_], scale: float
) -> LabelledField:
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    shade = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    numbers = cv2.resize(labels.astype(np.float32), size, interpolation=cv2.INTER_NEAREST).astype(np.int32)
    sure = cv2.resize(known.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    return LabelledField(name, np.asarray(shade, np.uint8), numbers, sure)
