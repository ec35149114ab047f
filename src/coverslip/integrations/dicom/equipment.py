"""What all DICOM results say about their origin, and how they state colours."""

from typing import Any

from highdicom import AlgorithmIdentificationSequence
from highdicom.color import CIELabColor
from pydicom.sr.codedict import codes

import coverslip
from coverslip.pathology.classes import Rgb

EQUIPMENT: dict[str, Any] = {
    "manufacturer": "Coverslip",
    "manufacturer_model_name": "Coverslip",
    "software_versions": coverslip.__version__,
    "device_serial_number": coverslip.__version__,
}
"""Software has no serial number, but the attribute must have a value (PS3.3 C.7.5.2)."""


def algorithm() -> AlgorithmIdentificationSequence:
    """The algorithm that found cells and tissue."""
    return AlgorithmIdentificationSequence(
        name="Coverslip H&E TME", family=codes.DCM.ArtificialIntelligence, version=coverslip.__version__
    )


def display_color(color: Rgb) -> CIELabColor:
    """A class colour as DICOM recommends colours, in CIELab."""
    return CIELabColor.from_rgb(*color)
