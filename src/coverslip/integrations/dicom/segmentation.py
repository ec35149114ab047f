"""Tissue as a DICOM Segmentation (PS3.3 A.51): a binary segment for each class, on the grid of the tissue map."""

import numpy as np
from highdicom import UID, CoordinateSystemNames, PixelMeasuresSequence, PlanePositionSequence
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentationTypeValues, SegmentDescription
from highdicom.spatial import ImageToReferenceTransformer
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.sr.codedict import codes

from coverslip.integrations.dicom.equipment import EQUIPMENT, algorithm, display_color
from coverslip.integrations.dicom.source import SECTION_MM
from coverslip.pathology.classes import TISSUE

TILE_PX = 256
MEANINGS = {
    "Carcinoma": (codes.SCT.MorphologicallyAbnormalStructure, codes.SCT.Carcinoma),
    "Epithelial Tissue": (codes.SCT.Tissue, codes.SCT.Tissue),
    "Necrosis": (codes.SCT.MorphologicallyAbnormalStructure, codes.SCT.Necrosis),
    "Stroma": (codes.SCT.Tissue, codes.SCT.ConnectiveTissue),
    "Other": (codes.SCT.Tissue, codes.SCT.Tissue),
    "Blood": (codes.SCT.BodySubstance, codes.SCT.Blood),
    "Vessel": (codes.SCT.AnatomicalStructure, codes.SCT.BloodVessel),
}
"""Category and type of each tissue (CID 7150 and 7151); where they have none that is finer, the label tells it."""


def tissue_segmentation(labels: NDArray[np.uint8], cell_px: int, source: Dataset) -> Segmentation:
    """The segmentation of a tissue map.

    Parameters
    ----------
    labels
        uint8 (rows, columns), not all 0: the labels of `TISSUE`, its upper left corner that of ``source``.
    cell_px
        Pixels of ``source`` per pixel of the map and axis.
    source
        The finest level of the slide.
    """
    measures = source.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    to_slide = ImageToReferenceTransformer.for_image(source, for_total_pixel_matrix=True)
    first_centre_mm = to_slide(np.array([[cell_px / 2, cell_px / 2]]))[0]
    described = [
        SegmentDescription(
            segment_number=number,
            segment_label=name,
            segmented_property_category=MEANINGS[name][0],
            segmented_property_type=MEANINGS[name][1],
            algorithm_type=SegmentAlgorithmTypeValues.AUTOMATIC,
            algorithm_identification=algorithm(),
            display_color=display_color(color),
        )
        for number, (name, color) in enumerate(TISSUE.items(), start=1)
    ]
    segmentation = Segmentation(
        source_images=[source],
        pixel_array=labels,
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=described,
        series_instance_uid=UID(),
        series_number=2,
        sop_instance_uid=UID(),
        instance_number=1,
        pixel_measures=PixelMeasuresSequence(
            pixel_spacing=[cell_px * float(spacing) for spacing in measures.PixelSpacing],
            slice_thickness=float(measures.get("SliceThickness") or SECTION_MM),
        ),
        plane_positions=[PlanePositionSequence(CoordinateSystemNames.SLIDE, first_centre_mm, (1, 1))],
        tile_pixel_array=True,
        tile_size=(TILE_PX, TILE_PX),
        content_label="TISSUE",
        content_description="Tissue classes",
        **EQUIPMENT,
    )
    segmentation.PatientOrientation = None  # of type 2C, for images without ImageOrientationPatient
    return segmentation
