"""What can be wrong with a slide file, each with what to do about it."""

from typing import ClassVar

from coverslip.contract.errors import CoverslipError


class SlideError(CoverslipError):
    """The slide {name} cannot be used; open it in a slide viewer to see whether the file is sound."""

    code: ClassVar[str] = "SLIDE.ERROR"


class SlideMissing(SlideError):
    """There is no file {name}; check the path and that the disk it lies on is attached."""

    code: ClassVar[str] = "SLIDE.MISSING"


class NotASlide(SlideError):
    """{name} is not a whole slide image that can be read ({reason}); give a slide file as the scanner wrote it, such as
    SVS, tiled TIFF, NDPI, MRXS or DICOM."""

    code: ClassVar[str] = "SLIDE.NOT_A_SLIDE"


class NotAVolume(SlideError):
    """{name} is a DICOM {image_type} image and not a whole slide; give the VOLUME instance of the same series."""

    code: ClassVar[str] = "SLIDE.NOT_A_VOLUME"


class SlideTruncated(SlideError):
    """{name} ends too early: its tables point to byte {needed_bytes:,} but it has only {size_bytes:,} bytes; copy the
    file again from the scanner or archive and compare the sizes."""

    code: ClassVar[str] = "SLIDE.TRUNCATED"


class SlideUnreadable(SlideError):
    """The pixels of {name} cannot be decoded at {place} ({reason}); the file is damaged there or uses an unsupported
    compression, so copy it again from the scanner or export it anew."""

    code: ClassVar[str] = "SLIDE.UNREADABLE"


class MppMissing(SlideError):
    """{name} does not say its resolution (micrometres per pixel); state resolution_mpp in the metadata, as the
    scanner's report gives it (about 0.25 for a 40x scan, 0.5 for 20x)."""

    code: ClassVar[str] = "SLIDE.MPP_MISSING"


class ChecksumTooSlow(CoverslipError):
    """Only the slow pure Python CRC-32C is installed, which would take minutes per slide; reinstall google-crc32c from
    a wheel for this machine (pip install --force-reinstall --only-binary :all: google-crc32c)."""

    code: ClassVar[str] = "SLIDE.CHECKSUM_TOO_SLOW"
