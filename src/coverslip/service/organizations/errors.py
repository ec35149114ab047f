"""What is not there for the caller."""

from http import HTTPStatus

from coverslip.service.errors import ServiceError


class OrganizationNotFound(ServiceError):
    """organization not found"""

    code = "ORGANIZATION.NOT_FOUND"
    status = HTTPStatus.NOT_FOUND
    remedy = "`coverslip user whoami --format json` shows the id of yours."


class MemberNotFound(ServiceError):
    """The organization has no such user."""

    code = "ORGANIZATION.MEMBER_NOT_FOUND"
    status = HTTPStatus.NOT_FOUND
    remedy = "`coverslip user whoami --format json` shows people their own id."
