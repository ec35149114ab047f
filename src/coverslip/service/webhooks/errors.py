"""Why a request about webhooks is refused."""

from http import HTTPStatus

from coverslip.service.errors import ServiceError


class WebhookNotFound(ServiceError):
    """webhook not found"""

    code = "WEBHOOK.NOT_FOUND"
    status = HTTPStatus.NOT_FOUND


class DeliveryNotFound(ServiceError):
    """delivery not found"""

    code = "WEBHOOK.DELIVERY_NOT_FOUND"
    status = HTTPStatus.NOT_FOUND
    remedy = "Deliveries are kept for 30 days; read older events from the run itself."


class WebhookUrlRefused(ServiceError):
    """Nothing can be sent to this address: {fault}."""

    code = "WEBHOOK.URL_REFUSED"
    status = HTTPStatus.BAD_REQUEST
    remedy = "Give the receiver an https address; for one in your own network, ask the operator to allow its host."
    place = ("body", "url")


class TooManyWebhooks(ServiceError):
    """There are {most} webhooks already, which is the most."""

    code = "WEBHOOK.TOO_MANY"
    status = HTTPStatus.CONFLICT
    remedy = "Delete one that is no longer needed."


class WebhookDisabled(ServiceError):
    """The webhook is disabled."""

    code = "WEBHOOK.DISABLED"
    status = HTTPStatus.CONFLICT
    remedy = "Enable it first; a ping shows whether its receiver answers."
