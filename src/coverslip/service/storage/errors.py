"""Why the object store refuses."""

from http import HTTPStatus

from coverslip.service.errors import ServiceError


class SignatureRefused(ServiceError):
    """This URL was altered, belongs to another request, or has expired."""

    code = "STORE.SIGNATURE_REFUSED"
    status = HTTPStatus.FORBIDDEN
    remedy = "Ask the API for a new URL."


class ObjectNotFound(ServiceError):
    """There is no such object."""

    code = "STORE.OBJECT_NOT_FOUND"
    status = HTTPStatus.NOT_FOUND


class ObjectKeyInvalid(ServiceError):
    """'{path}' cannot be the key of an object: {fault}."""

    code = "STORE.KEY_INVALID"
    status = HTTPStatus.BAD_REQUEST
    remedy = "Use a relative path without '.', '..', empty parts or control characters."


class SizeDiffers(ServiceError):
    """The upload has {received} bytes, but {announced} were announced. Nothing was kept."""

    code = "STORE.SIZE_DIFFERS"
    status = HTTPStatus.BAD_REQUEST
    remedy = "Upload the file again; it may have changed meanwhile."


class ChecksumDiffers(ServiceError):
    """The upload has the CRC32C {received}, but {announced} was announced. Nothing was kept."""

    code = "STORE.CHECKSUM_DIFFERS"
    status = HTTPStatus.BAD_REQUEST
    remedy = "Upload the file again; it was changed or damaged on its way."


class StoreFull(ServiceError):
    """The disk of the object store is full. Nothing was kept."""

    code = "STORE.FULL"
    status = HTTPStatus.INSUFFICIENT_STORAGE
    remedy = "Ask the operator to free space; then upload again, what has arrived is not sent twice."


class StoreUnavailable(ServiceError):
    """The object store does not answer, or refuses the service."""

    code = "STORE.UNAVAILABLE"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    remedy = "Try again in a minute; what was sent is kept. Operators find the reason in the service's log."


class ObjectTooLarge(ServiceError):
    """The upload has {size_bytes} bytes, but the object store takes at most {most_bytes} at once."""

    code = "STORE.OBJECT_TOO_LARGE"
    status = HTTPStatus.BAD_REQUEST
    remedy = "Let the application write the result as several artifacts."


class ObjectNotUsable(ServiceError):
    """The object '{path}' is not in your organization's bucket, or was not uploaded completely."""

    code = "STORE.OBJECT_NOT_USABLE"
    status = HTTPStatus.BAD_REQUEST
    remedy = "Upload the slide first, then submit."


class ObjectInUse(ServiceError):
    """An unfinished run needs this object."""

    code = "STORE.OBJECT_IN_USE"
    status = HTTPStatus.CONFLICT
    remedy = "Wait until the run has ended, or cancel it first."


class UploadNotFound(ServiceError):
    """upload not found"""

    code = "UPLOAD.NOT_FOUND"
    status = HTTPStatus.NOT_FOUND
    remedy = "It was dropped or has been given up after some days. Announce the file again."


class UploadEnded(ServiceError):
    """The upload was completed or dropped while this part arrived."""

    code = "UPLOAD.ENDED"
    status = HTTPStatus.CONFLICT
    remedy = "Announce the file again: it may be complete."


class PartUnknown(ServiceError):
    """This upload has the parts 1 to {last}, and no part {number}."""

    code = "UPLOAD.PART_UNKNOWN"
    status = HTTPStatus.NOT_FOUND


class PartsMissing(ServiceError):
    """These parts have not arrived yet: {numbers}."""

    code = "UPLOAD.PARTS_MISSING"
    status = HTTPStatus.CONFLICT
    remedy = "Send them, then complete the upload."
