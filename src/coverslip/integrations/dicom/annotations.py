"""Cells as DICOM Microscopy Bulk Simple Annotations (PS3.3 A.87): nuclei as polygons, a group for each cell class.

Coordinates are millimetres in the slide's frame of reference, so that they hold for every level of its pyramid.
"""

from collections.abc import Iterator

import numpy as np
from highdicom import UID
from highdicom.ann import (
    AnnotationCoordinateTypeValues,
    AnnotationGroup,
    AnnotationGroupGenerationTypeValues,
    GraphicTypeValues,
    Measurements,
    MicroscopyBulkSimpleAnnotations,
)
from highdicom.spatial import ImageToReferenceTransformer
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from coverslip.integrations.dicom.equipment import EQUIPMENT, algorithm, display_color
from coverslip.pathology.cells import NUCLEUS_FEATURES, CellTable
from coverslip.pathology.classes import CELL

OWN_CODES = "99COVERSLIP"
"""Coding scheme of what no public scheme has a code for; names starting with 99 are for that (PS3.16 section 8.2)."""
MEASURED = {
    "area_um2": (codes.SCT.Area, codes.UCUM.SquareMicrometer),
    "perimeter_um": (codes.SCT.Perimeter, codes.UCUM.Micrometer),
    "major_axis_um": (codes.SCT.MajorAxis, codes.UCUM.Micrometer),
    "minor_axis_um": (codes.SCT.MinorAxis, codes.UCUM.Micrometer),
}
"""Concept and unit of the measurements that public schemes have codes for."""


def cell_annotations(cells: CellTable, source: Dataset) -> MicroscopyBulkSimpleAnnotations:
    """The annotations of at least one cell of the slide that ``source`` is the finest level of."""
    to_slide = ImageToReferenceTransformer.for_image(source, for_total_pixel_matrix=True)
    return MicroscopyBulkSimpleAnnotations(
        source_images=[source],
        annotation_coordinate_type=AnnotationCoordinateTypeValues.SCOORD3D,
        annotation_groups=list(_groups(cells, to_slide)),
        series_instance_uid=UID(),
        series_number=1,
        sop_instance_uid=UID(),
        instance_number=1,
        content_label="CELLS",
        content_description="Nuclei by cell class",
        **EQUIPMENT,
    )


def _groups(cells: CellTable, to_slide: ImageToReferenceTransformer) -> Iterator[AnnotationGroup]:
    sizes = np.diff(cells.outlines.offsets)
    for number, label in enumerate(np.unique(cells.classes).tolist(), start=1):
        class_name, color = list(CELL.items())[label - 1]
        rows = cells.classes == label
        vertices_mm = to_slide(cells.outlines.vertices[np.repeat(rows, sizes)]).astype(np.float32)
        measured = [(name, cells.feature(name)[rows]) for name in NUCLEUS_FEATURES]
        yield AnnotationGroup(
            number=number,
            uid=UID(),
            label=class_name,
            annotated_property_category=codes.SCT.AnatomicalStructure,
            annotated_property_type=codes.SCT.Nucleus,
            graphic_type=GraphicTypeValues.POLYGON,
            graphic_data=np.split(vertices_mm, np.cumsum(sizes[rows])[:-1]),
            algorithm_type=AnnotationGroupGenerationTypeValues.AUTOMATIC,
            algorithm_identification=algorithm(),
            measurements=[_measurements(*named) for named in (*measured, ("confidence", cells.confidence[rows]))],
            display_color=display_color(color),
        )


def _measurements(name: str, values: NDArray[np.float32]) -> Measurements:
    own = Code(name, OWN_CODES, name.replace("_", " ").capitalize()), codes.UCUM.NoUnits
    concept, unit = MEASURED.get(name, own)
    return Measurements(name=concept, values=values, unit=unit)
