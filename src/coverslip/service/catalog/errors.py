"""What the catalogue does not have. The sentences are part of the published contract."""

from http import HTTPStatus

from coverslip.contract.errors import CoverslipError
from coverslip.service.errors import ServiceError


class ApplicationNotFound(ServiceError):
    """application not found"""

    code = "CATALOG.APPLICATION_NOT_FOUND"
    status = HTTPStatus.NOT_FOUND
    remedy = "`coverslip application list` shows the applications you may use."


class VersionNotFound(ServiceError):
    """Application version not found"""

    code = "CATALOG.VERSION_NOT_FOUND"
    status = HTTPStatus.NOT_FOUND
    remedy = "`coverslip application describe` shows the versions you may use."


class RunVersionNotFound(VersionNotFound):
    """application version not found"""


class ReleasedVersionChanged(CoverslipError):
    """The manifest of {application_id} {number} differs from the one released before. A released version never
    changes: give the new manifest a new version number."""

    code = "CATALOG.RELEASED_VERSION_CHANGED"
