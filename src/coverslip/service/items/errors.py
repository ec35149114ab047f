"""Why something cannot be done with an item."""

from http import HTTPStatus

from coverslip.service.errors import ServiceError


class ItemNotFound(ServiceError):
    """item not found"""

    code = "ITEM.NOT_FOUND"
    status = HTTPStatus.NOT_FOUND
    remedy = "`coverslip application run describe` shows the items of a run."
