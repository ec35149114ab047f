"""Readouts beyond those of the published he-tme, each with its unit and definition.

Areas of tissues are those of the outlines in the other files. Areas of zones, and of tissues in zones, are counted on
the map, and differ from the outlines by their rounded corners.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from coverslip.pathology.cells import CellTable
from coverslip.pathology.classes import CELL, TISSUE
from coverslip.pathology.polygons import Region
from coverslip.pathology.readouts.cell_counts import cell_counts
from coverslip.pathology.readouts.columns import CELL_TISSUES, column
from coverslip.pathology.readouts.extended_readout import SLIDE, ExtendedReadout
from coverslip.pathology.readouts.tumor import tumor_readouts
from coverslip.pathology.readouts.values import class_areas_um2, quotient
from coverslip.pathology.readouts.zone_census import ZoneCensus, count_zones
from coverslip.pathology.zones import ENCLOSED_UM2, LEAST_TUMOR_UM2, MARGIN_UM, NEST_GAP_UM, ZONE

TUMOR_MEANING = (
    f"carcinoma and the necrosis beside it, gaps under {2 * NEST_GAP_UM:.0f} µm and enclosed tissue under "
    f"{ENCLOSED_UM2 / 1e6:g} mm² included, from {LEAST_TUMOR_UM2 / 1e6:g} mm²"
)
ZONE_MEANING = {
    "Tumor Core": f"tumour more than {MARGIN_UM:.0f} µm from host tissue (tumour: {TUMOR_MEANING})",
    "Inner Invasive Margin": f"tumour within {MARGIN_UM:.0f} µm of host tissue",
    "Outer Invasive Margin": f"host tissue within {MARGIN_UM:.0f} µm of the tumour",
    "Extratumoral": f"host tissue more than {MARGIN_UM:.0f} µm from the tumour",
}


def extended_readouts(
    mpp: float, cells: CellTable, tissue_regions: Sequence[Region], tissue: NDArray[np.uint8], cell_px: int
) -> list[ExtendedReadout]:
    """All extended readouts of a slide, always the same in the same order.

    Parameters
    ----------
    mpp
        Micrometres per level-0 pixel.
    cells
        All cells of the slide.
    tissue_regions
        The regions of `TISSUE` that the other files hold.
    tissue
        The map that they outline: uint8 (rows, columns).
    cell_px
        Level-0 pixels per map pixel and axis.

    Raises
    ------
    ValueError
        If a cell lies outside `CELL_TISSUES`.
    """
    tissue_mm2 = {name: area / 1e6 for name, area in class_areas_um2(tissue_regions, TISSUE, mpp).items()}
    counts = cell_counts(cells)
    census = count_zones(cells, tissue, cell_px, mpp)
    return [
        *_densities(counts, tissue_mm2),
        *_zone_areas(census),
        *_zone_cells(census),
        *tumor_readouts(cells, census, counts, tissue_mm2),
    ]


def _densities(counts: NDArray[np.int64], tissue_mm2: dict[str, float]) -> Iterator[ExtendedReadout]:
    slide_mm2 = sum(tissue_mm2.values())
    for cell, in_tissues in zip(CELL, counts.tolist(), strict=True):
        yield ExtendedReadout(
            name=column("CELL_DENSITY", cell, "PER_MM2"),
            region=SLIDE,
            cell_class=cell,
            value=quotient(sum(in_tissues), slide_mm2),
            unit="cells/mm²",
            definition="cells of the class per area of all seven tissue classes",
        )
        for tissue, count in zip(CELL_TISSUES, in_tissues, strict=True):
            yield ExtendedReadout(
                name=column("CELL_DENSITY", cell, tissue, "PER_MM2"),
                region=tissue,
                cell_class=cell,
                value=quotient(count, tissue_mm2[tissue]),
                unit="cells/mm²",
                definition="cells of the class in the tissue per area of the tissue",
            )


def _zone_areas(census: ZoneCensus) -> Iterator[ExtendedReadout]:
    slide_mm2 = float(census.area_mm2.sum())
    for zone, of_tissues in zip(ZONE, census.area_mm2.tolist(), strict=True):
        zone_mm2 = sum(of_tissues)
        yield ExtendedReadout(column("ABSOLUTE_AREA", zone), zone, None, zone_mm2, "mm²", ZONE_MEANING[zone])
        share = quotient(zone_mm2, slide_mm2, 100)
        yield ExtendedReadout(column("RELATIVE_AREA", zone), zone, None, share, "%", "share of the area of all zones")
        for tissue, area_mm2 in zip(TISSUE, of_tissues, strict=True):
            yield ExtendedReadout(
                name=column("RELATIVE_AREA", tissue, "IN", zone),
                region=zone,
                cell_class=None,
                value=quotient(area_mm2, zone_mm2, 100),
                unit="%",
                definition="share of the tissue in the area of the zone",
            )


def _zone_cells(census: ZoneCensus) -> Iterator[ExtendedReadout]:
    for zone, counts, areas_mm2 in zip(ZONE, census.cells.tolist(), census.area_mm2, strict=True):
        zone_mm2 = float(areas_mm2.sum())
        for cell, count in zip(CELL, counts, strict=True):
            for readout, value, unit, definition in (
                ("CELL_COUNT", count, "cells", "cells of the class in the zone"),
                ("CELL_PERCENTAGE", quotient(count, sum(counts), 100), "%", "share of the class in the zone's cells"),
                ("CELL_DENSITY", quotient(count, zone_mm2), "cells/mm²", "cells of the class per area of the zone"),
            ):
                yield ExtendedReadout(column(readout, cell, "IN", zone), zone, cell, value, unit, definition)
