"""What can be wrong with an application or with its input."""

from typing import ClassVar

from coverslip.contract.errors import CoverslipError


class UserError(CoverslipError):
    """{message}"""

    # An application names its own code, so here it belongs to the instance.
    code: str  # type: ignore[misc]

    def __init__(self, code: str, message: str) -> None:
        """The input is at fault.

        Parameters
        ----------
        code
            Stable and upper case with a dot, such as ``INPUT.NO_TISSUE``.
        message
            Names the cause and the cure.
        """
        super().__init__(message=message)
        self.code = code


class ApplicationUnknown(CoverslipError):
    """No application {application_id} in version {version_number} is installed here; install its package on this worker
    or ask for one of: {installed}."""

    code: ClassVar[str] = "APPLICATION.UNKNOWN"


class ManifestInvalid(CoverslipError):
    """The manifest of the application {application} is invalid: {reason}. Correct it and install the package again."""

    code: ClassVar[str] = "APPLICATION.MANIFEST_INVALID"


class ApplicationBroken(CoverslipError):
    """The application package {package} cannot be used and is left out: {reason}. Install a corrected version of it, or
    remove it, and start again."""

    code: ClassVar[str] = "APPLICATION.BROKEN"


class ResultMissing(CoverslipError):
    """There is no file {name} in {folder}; give the folder that holds the downloaded files of one slide, as
    `coverslip application run result download` writes them."""

    code: ClassVar[str] = "RESULT.MISSING"


class ResultUnreadable(CoverslipError):
    """The file {name} cannot be read as a result of Coverslip ({reason}); download it again."""

    code: ClassVar[str] = "RESULT.UNREADABLE"


class ResultOfAnotherSlide(CoverslipError):
    """The results in {folder} reach to {x_px}, {y_px} px, but {slide} has {width_px} × {height_px} px; give the slide
    that they were made from."""

    code: ClassVar[str] = "RESULT.OF_ANOTHER_SLIDE"


class RegionOutside(CoverslipError):
    """The region {region} does not touch {slide}, which has {width_px} × {height_px} px; give x,y,width,height in its
    level-0 pixels."""

    code: ClassVar[str] = "RESULT.REGION_OUTSIDE"
