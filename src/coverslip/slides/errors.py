"""What can be wrong with a slide file, each with what to do about it."""

from typing import ClassVar

from coverslip.contract.errors import CoverslipError


class SlideError(CoverslipError):
    """The slide {name} cannot be used; open it in a slide viewer to see whether the file is sound."""

    code: ClassVar[str] = "SLIDE.ERROR"


class SlideMissing(SlideError):
    """There is no file {name}; check the path and that the disk it lies on is attached."""

    code: ClassVar[str] = "SLIDE.MISSING"


class SlideInaccessible(SlideError):
    """The file {name} cannot be read ({reason}); check that you may read it and that its disk is attached and sound."""

    code: ClassVar[str] = "SLIDE.INACCESSIBLE"


class NotASlide(SlideError):
    """{name} is not a whole slide image that can be read ({reason}); give a slide file as the scanner wrote it, such as
    SVS, tiled TIFF, NDPI, MRXS or DICOM."""

    code: ClassVar[str] = "SLIDE.NOT_A_SLIDE"


class NotAVolume(SlideError):
    """{name} is a DICOM {image_type} image and not a whole slide; give the VOLUME instance of the same series."""

    code: ClassVar[str] = "SLIDE.NOT_A_VOLUME"


class SlideTruncated(SlideError):
    """{name} ends too early: {evidence}; copy the file again from the scanner or archive and compare the sizes."""

    code: ClassVar[str] = "SLIDE.TRUNCATED"


class SlideImplausible(SlideError):
    """{name} claims {claim} in {place}, more than the {limit} that are read; no scanner writes that, so the file is
    damaged or made to do harm. Copy it again from the scanner."""

    code: ClassVar[str] = "SLIDE.IMPLAUSIBLE"


class ArchiveTooLarge(SlideError):
    """{name} holds {claim}, more than the {limit} that are unpacked; unpack it yourself and give the DICOM files or a
    TIFF."""

    code: ClassVar[str] = "SLIDE.ARCHIVE_TOO_LARGE"


class SlideUnreadable(SlideError):
    """The pixels of {name} cannot be decoded at {place} ({reason}); the file is damaged there or uses an unsupported
    compression. Copy it again from the scanner, or export it anew."""

    code: ClassVar[str] = "SLIDE.UNREADABLE"


class MppMissing(SlideError):
    """{name} does not say its resolution (micrometres per pixel); state resolution_mpp in the metadata, as the
    scanner's report gives it (about 0.25 for a 40x scan, 0.5 for 20x)."""

    code: ClassVar[str] = "SLIDE.MPP_MISSING"


class ImageUnreadable(SlideError):
    """{name} is no image that can be read ({reason}); give a PNG, JPEG or TIFF image of a field of view, and for a
    whole slide use an application."""

    code: ClassVar[str] = "SLIDE.IMAGE_UNREADABLE"


class NotALabelImage(SlideError):
    """{name} is no label image ({reason}); give a PNG or TIFF with one channel of whole numbers, 0 for background and
    another for each nucleus."""

    code: ClassVar[str] = "SLIDE.NOT_A_LABEL_IMAGE"


class TooManyLabels(SlideError):
    """{labels} nuclei do not fit into the PNG {name}, which can number {limit}; choose a name ending in .tif, which has
    no such limit."""

    code: ClassVar[str] = "SLIDE.TOO_MANY_LABELS"


class ChecksumTooSlow(CoverslipError):
    """Only the slow pure Python CRC-32C is installed, which would take minutes per slide; reinstall google-crc32c from
    a wheel for this machine (pip install --force-reinstall --only-binary :all: google-crc32c)."""

    code: ClassVar[str] = "SLIDE.CHECKSUM_TOO_SLOW"
