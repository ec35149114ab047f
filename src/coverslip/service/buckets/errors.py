"""Why something about a bucket key is refused."""

from http import HTTPStatus

from coverslip.service.errors import ServiceError


class BucketKeyNotFound(ServiceError):
    """bucket key not found"""

    code = "BUCKET_KEY.NOT_FOUND"
    status = HTTPStatus.NOT_FOUND
    remedy = "List your keys; a key that was revoked stays so."
