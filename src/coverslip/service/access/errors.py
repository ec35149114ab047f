"""Why something cannot be shared, or is not shared any more."""

from http import HTTPStatus

from coverslip.service.errors import ServiceError


class ResourceNotFound(ServiceError):
    """resource not found"""

    code = "ACCESS.RESOURCE_NOT_FOUND"
    status = HTTPStatus.NOT_FOUND
    remedy = "`resource_id` must be the id of a run, item, output artifact or share token that you may see."


class SubjectNotFound(ServiceError):
    """There is nobody of this name whom you could address."""

    code = "ACCESS.SUBJECT_NOT_FOUND"
    status = HTTPStatus.NOT_FOUND
    remedy = (
        "An e-mail address finds people of your own organization. Name others by the id that `coverslip user whoami` "
        "shows them, or give them a share token of yours that is valid."
    )


class RelationRefused(ServiceError):
    """Only viewer grants can be created."""

    code = "ACCESS.RELATION_REFUSED"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    place = ("body", "relation")
    remedy = 'Send `"relation": "viewer"`.'


class SubjectRefused(ServiceError):
    """This cannot be the subject of the grant: {fault}."""

    code = "ACCESS.SUBJECT_REFUSED"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    place = ("body", "subject_id")


class GrantNotFound(ServiceError):
    """grant not found"""

    code = "ACCESS.GRANT_NOT_FOUND"
    status = HTTPStatus.NOT_FOUND


class GrantRevoked(ServiceError):
    """The grant has been revoked already."""

    code = "ACCESS.GRANT_REVOKED"
    status = HTTPStatus.CONFLICT


class ShareTokenNotFound(ServiceError):
    """share token not found"""

    code = "ACCESS.SHARE_TOKEN_NOT_FOUND"
    status = HTTPStatus.NOT_FOUND


class ShareTokenRevoked(ServiceError):
    """The share token has been revoked already."""

    code = "ACCESS.SHARE_TOKEN_REVOKED"
    status = HTTPStatus.CONFLICT


class ExpiryPassed(ServiceError):
    """The share token would have expired before it is made."""

    code = "ACCESS.EXPIRY_PASSED"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    place = ("body", "expires_at")
    remedy = "Give a time in the future, or none."
