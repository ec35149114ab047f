"""Names of the readouts of a slide, in the order of their columns, as the published he-tme writes them.

A name is made of the words of what it says, in upper case with ``_`` between. ``SOLIDICITY`` is how the published files
spell it.
"""

from collections.abc import Iterator

from coverslip.pathology.classes import ANUCLEATE, CELL, TISSUE, TISSUE_QC

RADII_UM = (20, 40)
"""Radii of the neighbourhood of a cell."""
CELL_TISSUES = tuple(name for name in TISSUE if name not in ANUCLEATE)
"""The classes of `TISSUE` that have cells."""
REGION_READOUTS = (
    "REGION_COUNT",
    "AVG_ECCENTRICITY",
    "AVG_EXTENT",
    "AVG_SOLIDICITY",
    "LARGEST_CONVEX_AREA",
    "LARGEST_FILLED_AREA",
    "LARGEST_ROUNDNESS",
    "LARGEST_MAJ_AXIS",
    "LARGEST_MNR_AXIS",
    "LARGEST_PERIMETER",
    "LARGEST_SOLIDICITY",
    "LARGEST_ECCENTRICITY",
)
NUCLEUS_READOUTS = ("AREA", "ROUNDNESS", "ECCENTRICITY", "MAJ_AXIS", "MNR_AXIS", "PERIMETER")
CLASS_NUCLEUS_READOUTS = ("AREA", "ROUNDNESS", "ECCENTRICITY", "PERIMETER")
"""What is averaged over the nuclei of a class; over all nuclei it is `NUCLEUS_READOUTS`."""
CELL_READOUTS = ("CELL_COUNT", "CELL_PERCENTAGE", "CELL_DENSITY")


def column(*words: object) -> str:
    """The name made of these words: ``column("CELL_COUNT", "Plasma cell")`` is ``CELL_COUNT_PLASMA_CELL``."""
    return "_".join(map(str, words)).upper().replace(" ", "_")


def slide_columns() -> list[str]:
    """All columns of the slide readouts in their order, 4,548 of them."""
    return [
        "SLIDE_UUID",
        "SLIDE_NAME",
        "IMAGE_RESOLUTION",
        "ABSOLUTE_AREA",
        *(column(f"{kind}_AREA", name) for name in (*TISSUE_QC, *TISSUE) for kind in ("ABSOLUTE", "RELATIVE")),
        *(column(readout, tissue) for tissue in TISSUE for readout in REGION_READOUTS),
        "CELL_CLASSES",
        "CELL_N_TOTAL",
        *(column("NUCLEUS_AVG", readout) for readout in NUCLEUS_READOUTS),
        *(name for cell in CELL for name in _cell_columns(cell)),
        *(
            name
            for radius_um in RADII_UM
            for neighbor in CELL
            for tissue in CELL_TISSUES
            for name in _neighborhood_columns(neighbor, tissue, radius_um)
        ),
    ]


def _cell_columns(cell: str) -> Iterator[str]:
    yield column("CELL_COUNT", cell)
    yield from (column("NUCLEUS_AVG", readout, cell) for readout in CLASS_NUCLEUS_READOUTS)
    yield column("CELL_PERCENTAGE", cell)
    yield column("CELL_DENSITY", cell)
    yield from (column(readout, cell, tissue) for tissue in CELL_TISSUES for readout in CELL_READOUTS)


def _neighborhood_columns(neighbor: str, tissue: str, radius_um: int) -> Iterator[str]:
    """What lies around ``neighbor`` itself, then how it lies around every class."""
    yield column("AREA_AROUND", neighbor, "IN", tissue, radius_um)
    yield column("TOTAL_NUMBER_OF_NEIGHBORS_AROUND", neighbor, "IN", tissue, radius_um)
    for anchor in CELL:
        around = ("AROUND", anchor, "IN", tissue, radius_um)
        yield column("NUMBER_OF_CELLS_WITH", neighbor, "NEIGHBORS", *around)
        yield from (
            column(f"{readout}_OF", f"{neighbor}s", *around)
            for readout in ("NUMBER", "DENSITY", "RATIO", "AVG_MIN_DISTANCE")
        )
