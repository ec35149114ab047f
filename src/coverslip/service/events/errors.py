"""Why events are not told."""

from http import HTTPStatus

from coverslip.service.errors import ServiceError


class TooManyStreams(ServiceError):
    """You have {most} event streams open, the most that one user may have."""

    code = "EVENTS.TOO_MANY_STREAMS"
    status = HTTPStatus.TOO_MANY_REQUESTS
    remedy = "Close some, or use a webhook, which tells of all your runs."
