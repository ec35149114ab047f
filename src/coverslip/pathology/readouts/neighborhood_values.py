"""Readouts of neighbourhoods."""

from coverslip.pathology.cells import CellTable
from coverslip.pathology.classes import CELL
from coverslip.pathology.readouts.cell_counts import class_numbers, tissue_numbers
from coverslip.pathology.readouts.columns import CELL_TISSUES, RADII_UM, column
from coverslip.pathology.readouts.neighborhood import Neighborhood, neighborhoods
from coverslip.pathology.readouts.values import Value, known, quotient


def neighborhood_values(cells: CellTable, mpp: float) -> dict[str, Value]:
    """What lies round the cells of each class in each tissue within `RADII_UM`; ``mpp`` is µm per level-0 pixel."""
    shape = (len(CELL), len(CELL_TISSUES))
    found = neighborhoods(cells.centroids_px * mpp, class_numbers(cells), tissue_numbers(cells), shape, RADII_UM)
    values: dict[str, Value] = {}
    for radius_um, neighborhood in zip(RADII_UM, found, strict=True):
        for anchor, anchor_name in enumerate(CELL):
            for tissue, tissue_name in enumerate(CELL_TISSUES):
                around = ("AROUND", anchor_name, "IN", tissue_name, radius_um)
                values |= _values(neighborhood, anchor, tissue, around)
    return values


def _values(of: Neighborhood, anchor: int, tissue: int, around: tuple[object, ...]) -> dict[str, Value]:
    area_um2 = float(of.area_um2[anchor, tissue])
    total = int(of.neighbors[anchor, tissue].sum())
    values: dict[str, Value] = {
        column("AREA", *around): area_um2,
        column("TOTAL_NUMBER_OF_NEIGHBORS", *around): total,
    }
    for number, name in enumerate(CELL):
        neighbors = int(of.neighbors[anchor, tissue, number])
        values |= {
            column("NUMBER_OF_CELLS_WITH", name, "NEIGHBORS", *around): int(of.anchors_with[anchor, tissue, number]),
            column("NUMBER_OF", f"{name}s", *around): neighbors,
            column("DENSITY_OF", f"{name}s", *around): quotient(neighbors, area_um2),
            column("RATIO_OF", f"{name}s", *around): quotient(neighbors, total),
            column("AVG_MIN_DISTANCE_OF", f"{name}s", *around): known(of.mean_distance_um[anchor, tissue, number]),
        }
    return values
