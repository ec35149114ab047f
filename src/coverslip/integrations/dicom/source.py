"""The image that DICOM results refer to: the slide's own instance, or one thought up for a slide that is no DICOM."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydicom import Dataset, dcmread
from pydicom.uid import UID, VLWholeSlideMicroscopyImageStorage

from coverslip.integrations.errors import SlidePacked
from coverslip.slides.crc32c import crc32c_file
from coverslip.slides.dicom_instances import is_dicom, slide_in, slide_of
from coverslip.slides.slide import SlideInfo

REFERENCE_TILE_PX = 512
SECTION_MM = 0.001
"""Thickness that is stated where nobody knows it, for it must be above 0."""
NAMESPACE = uuid.UUID("5ee6bd3f-8a44-4e8e-9d0a-6c0ddc2c3f5a")
"""Of the identifiers made here, so that no other software makes the same."""
EMPTY_IF_UNKNOWN = (
    "AccessionNumber",
    "PatientBirthDate",
    "PatientID",
    "PatientName",
    "PatientSex",
    "ReferringPhysicianName",
    "StudyDate",
    "StudyID",
    "StudyTime",
)
"""Attributes of type 2, which must be there and may be empty (PS3.5 section 7.4.3); not every slide has them."""


@dataclass(frozen=True)
class SourceImage:
    """``header``: the attributes of the slide's finest level; ``is_made_up``: whether no such file exists."""

    header: Dataset
    is_made_up: bool


def source_image(path: Path, info: SlideInfo, mpp: float) -> SourceImage:
    """The image that results of the slide ``path`` refer to.

    For a slide that is no DICOM its identifiers are made from its name, size and checksum: the same file always gets
    the same ones, so that all of its results belong to one study.

    Parameters
    ----------
    path
        The slide: a file, or the folder of a DICOM series.
    info
        What it says about itself.
    mpp
        µm per level-0 pixel.

    Raises
    ------
    SlidePacked
        For a ZIP archive.
    """
    if info.media_type == "application/zip":
        raise SlidePacked(name=path.name)
    if path.is_dir() or is_dicom(path):
        instances = slide_in(path, path.name) if path.is_dir() else slide_of(path, series=True)
        header: Dataset = dcmread(instances[0].path, stop_before_pixels=True)
        is_made_up = False
    else:
        header, is_made_up = _made_up(path, info, mpp), True
    for keyword in EMPTY_IF_UNKNOWN:
        if keyword not in header:
            setattr(header, keyword, "")
    return SourceImage(header, is_made_up)


def _made_up(path: Path, info: SlideInfo, mpp: float) -> Dataset:
    """A header with all that results copy from it (PS3.3 A.32.8)."""
    identity = f"{path.name} {path.stat().st_size} {crc32c_file(path)}"

    def uid_of(what: str) -> UID:
        return UID(f"2.25.{uuid.uuid5(NAMESPACE, f'{identity} {what}').int}")  # PS3.5 section B.2

    header = Dataset()
    header.SOPClassUID, header.SOPInstanceUID = VLWholeSlideMicroscopyImageStorage, uid_of("image")
    header.StudyInstanceUID, header.SeriesInstanceUID = uid_of("study"), uid_of("series")
    header.FrameOfReferenceUID, header.PositionReferenceIndicator = uid_of("frame of reference"), "SLIDE_CORNER"
    header.SpecificCharacterSet, header.Modality = "ISO_IR 192", "SM"
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    header.StudyDate, header.StudyTime = written.strftime("%Y%m%d"), written.strftime("%H%M%S")
    header.ContainerIdentifier = path.stem[:64]
    header.IssuerOfTheContainerIdentifierSequence = []
    header.ContainerTypeCodeSequence = [_code("433466003", "SCT", "Microscope slide")]
    specimen = Dataset()
    specimen.SpecimenIdentifier, specimen.SpecimenUID = path.stem[:64], uid_of("specimen")
    specimen.IssuerOfTheSpecimenIdentifierSequence = []
    specimen.SpecimenPreparationSequence = []
    header.SpecimenDescriptionSequence = [specimen]
    header.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    header.Rows = header.Columns = REFERENCE_TILE_PX
    header.TotalPixelMatrixRows, header.TotalPixelMatrixColumns = info.height_px, info.width_px
    header.NumberOfFrames = -(-info.height_px // REFERENCE_TILE_PX) * -(-info.width_px // REFERENCE_TILE_PX)
    header.TotalPixelMatrixFocalPlanes, header.DimensionOrganizationType = 1, "TILED_FULL"
    header.ImageOrientationSlide = [1, 0, 0, 0, 1, 0]
    origin = Dataset()
    # The centre of the first pixel, so that its corner is the corner of the slide.
    origin.XOffsetInSlideCoordinateSystem = origin.YOffsetInSlideCoordinateSystem = mpp / 2000
    header.TotalPixelMatrixOriginSequence = [origin]
    measures = Dataset()
    measures.PixelSpacing, measures.SliceThickness = [mpp / 1000, mpp / 1000], SECTION_MM
    shared = Dataset()
    shared.PixelMeasuresSequence = [measures]
    header.SharedFunctionalGroupsSequence = [shared]
    return header


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code
