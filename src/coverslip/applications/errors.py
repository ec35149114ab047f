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
