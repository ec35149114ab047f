"""Publish the label maps of a slide as artifacts: each as image, polygons and table, which agree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coverslip.applications.protocol import Outputs
from coverslip.applications.region_files import (
    ClassRegion,
    write_class_information,
    write_geojson,
    write_region_parquet,
)
from coverslip.pathology.classes import TISSUE, TISSUE_QC, ClassColors
from coverslip.pathology.polygons import Region, regions_of
from coverslip.pathology.tissue_qc import ARTIFACT, ARTIFACT_KINDS, TissueQuality
from coverslip.slides.pyramid import strips_of, write_label_pyramid
from coverslip.slides.slide import SlideInfo

NO_TISSUE = "No Tissue"
PARQUET = "application/vnd.apache.parquet"
SMOOTHING = 0.75
"""Side of the square, in map pixels, below whose area corners of outlines go: single steps do, and areas stay."""


@dataclass(frozen=True)
class MapFrame:
    """The slide that maps lie on: ``mpp`` µm per level-0 pixel, ``cell_px`` level-0 pixels per map pixel and axis."""

    info: SlideInfo
    mpp: float
    cell_px: int


def quality_regions(quality: TissueQuality, frame: MapFrame) -> list[ClassRegion]:
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


def tissue_regions(tissue: NDArray[np.uint8], frame: MapFrame) -> list[ClassRegion]:
    """The regions of a label map of `TISSUE`."""
    return _regions(tissue, list(TISSUE), frame)


def labelled(regions: Sequence[ClassRegion], classes: ClassColors) -> list[Region]:
    """The same regions with the labels of their classes."""
    labels = {name: number for number, name in enumerate(classes, start=1)}
    return [Region(labels[region.class_name], region.polygon) for region in regions]


def publish_maps(
    stage: str,
    labels: NDArray[np.uint8],
    regions: Sequence[ClassRegion],
    frame: MapFrame,
    outputs: Outputs,
    *,
    parquet: bool = False,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Publish ``{stage}:segmentation_map_image``, ``geojson_polygons``, ``csv_class_information``, and with ``parquet``
    also ``parquet_polygons``.

    Parameters
    ----------
    stage
        ``tissue_qc`` or ``tissue_segmentation``.
    labels
        uint8 (rows, columns).
    regions
        Those of ``labels``.
    more
        Further metadata of each artifact.
    """
    classes, kinds = (TISSUE_QC, ARTIFACT_KINDS) if stage == "tissue_qc" else (TISSUE, ())
    added = dict(more or {})
    height_px, width_px = labels.shape
    image = outputs.directory / f"{stage}_segmentation_map_image.tiff"
    write_label_pyramid(image, width_px, height_px, frame.mpp * frame.cell_px, strips_of(labels), classes)
    # The map's own resolution stands in its TIFF tags: the contract's resolution_mpp ends at 0.55.
    colors = {name: list(color) for name, color in classes.items()}
    size = {"width_px": width_px, "height_px": height_px}
    outputs.write(
        f"{stage}:segmentation_map_image",
        image,
        {"media_type": "image/tiff", **size, "class_colors": colors, **added},
    )
    # A polygon of the bare glass would cover the slide in every viewer.
    shown = [region for region in regions if region.class_name != NO_TISSUE]
    polygons = outputs.directory / f"{stage}_geojson_polygons.json"
    write_geojson(polygons, shown, classes, frame.mpp)
    outputs.write(
        f"{stage}:geojson_polygons",
        polygons,
        {"media_type": "application/geo+json", "polygon_mpp": frame.mpp, **added},
    )
    table = outputs.directory / f"{stage}_csv_class_information.csv"
    write_class_information(table, regions, classes, frame.mpp, frozenset({NO_TISSUE}), kinds)
    outputs.write(f"{stage}:csv_class_information", table, {"media_type": "text/csv", **added})
    if parquet:
        columns = outputs.directory / f"{stage}_parquet_polygons.parquet"
        write_region_parquet(columns, shown, frame.mpp)
        outputs.write(f"{stage}:parquet_polygons", columns, {"media_type": PARQUET, "polygon_mpp": frame.mpp, **added})


def _regions(labels: NDArray[np.uint8], names: Sequence[str], frame: MapFrame) -> list[ClassRegion]:
    width_px, height_px = frame.info.width_px, frame.info.height_px
    found = regions_of(labels, frame.cell_px, width_px, height_px, SMOOTHING * frame.cell_px)
    return [ClassRegion(names[region.label - 1], region.polygon) for region in found]
