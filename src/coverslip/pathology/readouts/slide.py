"""All readouts of a slide that the published he-tme has, with its definitions.

Lengths are µm, areas µm², densities cells per µm² (times 10⁶ for mm²), percentages 0 to 100, ratios 0 to 1. Areas and
shapes are those of the outlines in the other files, so that all agree.

- ``ABSOLUTE_AREA`` is the sum of the tissue classes. ``RELATIVE_AREA`` of a tissue class is its percentage of that sum,
  of a quality class its percentage of all quality classes but No Tissue, which has none.
- Regions are 4-connected, and weigh alike in averages; their shapes are defined in `region_shape`. Eccentricity is
  1 - roundness, that of nuclei too.
- ``CELL_PERCENTAGE`` is of all cells, or of the cells in the tissue; ``CELL_DENSITY`` is per ABSOLUTE_AREA, or per area
  of the tissue.
- Neighbourhoods are defined in `neighborhood`. ``TOTAL_NUMBER_OF_NEIGHBORS`` is the sum over the classes; ``RATIO_OF``
  is the share of that total, ``DENSITY_OF`` the number per AREA_AROUND.
"""

from collections.abc import Sequence

from coverslip.pathology.cells import CellTable
from coverslip.pathology.classes import CELL, TISSUE, TISSUE_QC
from coverslip.pathology.polygons import Region
from coverslip.pathology.readouts.cell_values import count_values, nucleus_values
from coverslip.pathology.readouts.columns import slide_columns
from coverslip.pathology.readouts.neighborhood_values import neighborhood_values
from coverslip.pathology.readouts.region_values import area_values, region_values
from coverslip.pathology.readouts.values import Value, class_areas_um2

NO_TISSUE = "No Tissue"


def slide_readouts(
    slide_uuid: str,
    slide_name: str,
    mpp: float,
    cells: CellTable,
    quality_regions: Sequence[Region],
    tissue_regions: Sequence[Region],
) -> dict[str, Value]:
    """The value of each of `slide_columns`, in their order; None where there is none.

    Parameters
    ----------
    slide_uuid, slide_name
        As the file shall call the slide.
    mpp
        Micrometres per level-0 pixel.
    cells
        All cells of the slide. A million take about 10 s and 150 MB on one core.
    quality_regions, tissue_regions
        The regions of `TISSUE_QC` and of `TISSUE` that the other files hold.

    Raises
    ------
    ValueError
        If a cell lies outside `coverslip.pathology.readouts.columns.CELL_TISSUES`.
    """
    tissue_um2 = class_areas_um2(tissue_regions, TISSUE, mpp)
    quality_um2 = class_areas_um2(quality_regions, TISSUE_QC, mpp)
    values: dict[str, Value] = {
        "SLIDE_UUID": slide_uuid,
        "SLIDE_NAME": slide_name,
        "IMAGE_RESOLUTION": mpp,
        "ABSOLUTE_AREA": sum(tissue_um2.values()),
        "CELL_CLASSES": ";".join(CELL),
        "CELL_N_TOTAL": len(cells),
        **area_values(quality_um2, not_counted=frozenset({NO_TISSUE})),
        **area_values(tissue_um2),
        **region_values(tissue_regions, mpp),
        **nucleus_values(cells),
        **count_values(cells, tissue_um2),
        **neighborhood_values(cells, mpp),
    }
    return {name: values[name] for name in slide_columns()}
