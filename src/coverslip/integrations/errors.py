"""What can be wrong when results go to other systems."""

from typing import ClassVar

from coverslip.contract.errors import CoverslipError


class SlidePacked(CoverslipError):
    """{name} is a ZIP archive; unpack it and give the folder, so that the DICOM objects can refer to its images."""

    code: ClassVar[str] = "RESULT.SLIDE_PACKED"


class NothingToExport(CoverslipError):
    """The results in {folder} hold neither cells nor tissue, so there is nothing to write; choose another folder."""

    code: ClassVar[str] = "RESULT.NOTHING_TO_EXPORT"
