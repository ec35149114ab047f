"""Why a release document cannot be had."""

from http import HTTPStatus

from coverslip.service.errors import ServiceError


class DocumentNotFound(ServiceError):
    """document not found"""

    code = "CATALOG.DOCUMENT_NOT_FOUND"
    status = HTTPStatus.NOT_FOUND
    remedy = "`coverslip application version document list` shows the documents of a version."
