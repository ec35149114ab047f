"""Write the regions of a phantom as polygons."""

import json
import math
from pathlib import Path

import numpy as np

from coverslip.pathology.classes import TISSUE, TISSUE_QC, label_of
from coverslip.pathology.polygons import regions_of
from coverslip.slides.phantom.options import PhantomOptions
from coverslip.slides.phantom.truth import ARTIFACT_KINDS, Labels

MOST_REGION_CELLS = 4_000_000
"""Larger label maps are thinned before their regions are outlined, which bounds time and memory."""


def write_regions(
    path: Path, options: PhantomOptions, label_px: int, quality: Labels, kind: Labels, tissue: Labels
) -> None:
    """Outline quality classes, but No Tissue, and tissue classes; artifacts have their kind."""
    step = max(1, math.ceil(math.sqrt(quality.size / MOST_REGION_CELLS)))
    thin = np.s_[::step, ::step]
    quality, kind, tissue = (np.ascontiguousarray(plane[thin]) for plane in (quality, kind, tissue))
    none, artifact = label_of(TISSUE_QC, "No Tissue"), label_of(TISSUE_QC, "Tissue Artifact")
    first_kind = len(TISSUE_QC)
    shown = np.where(quality == none, 0, np.where(kind > 0, first_kind + kind, quality)).astype(np.uint8)
    with path.open("w", encoding="utf-8") as file:
        file.write('{"type": "FeatureCollection", "features": [')
        separator = "\n"
        for stage, labels, classes in (("tissue_qc", shown, TISSUE_QC), ("tissue_segmentation", tissue, TISSUE)):
            names = list(classes)
            for region in regions_of(labels, label_px * step, options.width_px, options.height_px):
                is_kind = stage == "tissue_qc" and region.label > first_kind
                name = names[(artifact if is_kind else region.label) - 1]
                properties: dict[str, object] = {
                    "objectType": "annotation",
                    "stage": stage,
                    "classification": {"name": name, "color": list(classes[name])},
                }
                if is_kind:
                    properties["kind"] = ARTIFACT_KINDS[region.label - first_kind - 1]
                geometry = region.polygon.__geo_interface__
                file.write(separator)
                json.dump({"type": "Feature", "geometry": geometry, "properties": properties}, file)
                separator = ",\n"
        file.write("\n]}\n")
