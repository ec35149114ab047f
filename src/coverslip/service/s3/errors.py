"""Why the S3 dialect refuses. Clients act by the code of S3, people read the message."""

from http import HTTPStatus
from typing import ClassVar

from coverslip.service.errors import ServiceError


class DialectError(ServiceError):
    """The request is refused."""

    code = "S3.REFUSED"
    status = HTTPStatus.BAD_REQUEST
    s3_code: ClassVar[str] = "InvalidRequest"
    """The code of the Amazon S3 API reference, "Error responses"."""


class NoSuchKey(DialectError):
    """There is no such object."""

    code = "S3.NO_SUCH_KEY"
    status = HTTPStatus.NOT_FOUND
    s3_code = "NoSuchKey"


class NoSuchBucket(DialectError):
    """There is no such bucket for this key. The bucket's name is in /api/v1/me."""

    code = "S3.NO_SUCH_BUCKET"
    status = HTTPStatus.NOT_FOUND
    s3_code = "NoSuchBucket"


class AccessDenied(DialectError):
    """This is not allowed: {reason}."""

    code = "S3.ACCESS_DENIED"
    status = HTTPStatus.FORBIDDEN
    s3_code = "AccessDenied"


class StorageQuotaExceeded(DialectError):
    """{reason} Delete objects, or ask an administrator of your organization."""

    code = "S3.STORAGE_QUOTA_EXCEEDED"
    status = HTTPStatus.FORBIDDEN
    s3_code = "QuotaExceeded"  # S3 itself has no quotas; so it is called by Ceph, with this status


class RequestExpired(DialectError):
    """Request has expired. Sign a new URL."""

    code = "S3.REQUEST_EXPIRED"
    status = HTTPStatus.FORBIDDEN
    s3_code = "AccessDenied"


class RequestTimeTooSkewed(DialectError):
    """The difference between the request's time and the platform's is more than 15 minutes. Set this computer's
    clock."""

    code = "S3.REQUEST_TIME_TOO_SKEWED"
    status = HTTPStatus.FORBIDDEN
    s3_code = "RequestTimeTooSkewed"


class AccessKeyUnknown(DialectError):
    """This access key does not exist, or was revoked. Get the present one from /api/v1/me."""

    code = "S3.ACCESS_KEY_UNKNOWN"
    status = HTTPStatus.FORBIDDEN
    s3_code = "InvalidAccessKeyId"


class SignatureDiffers(DialectError):
    """The signature is not that of this request. Check the secret key, and that nothing between client and platform
    changes method, host, path or query."""

    code = "S3.SIGNATURE_DIFFERS"
    status = HTTPStatus.FORBIDDEN
    s3_code = "SignatureDoesNotMatch"


class SignatureMalformed(DialectError):
    """The signature cannot be read: {fault}."""

    code = "S3.SIGNATURE_MALFORMED"
    s3_code = "AuthorizationQueryParametersError"


class ArgumentInvalid(DialectError):
    """{fault}."""

    code = "S3.ARGUMENT_INVALID"
    s3_code = "InvalidArgument"


class KeyTooLong(DialectError):
    """The key is longer than 1024 bytes."""

    code = "S3.KEY_TOO_LONG"
    s3_code = "KeyTooLongError"


class OperationUnsupported(DialectError):
    """The bucket does not offer {operation}."""

    code = "S3.OPERATION_UNSUPPORTED"
    status = HTTPStatus.NOT_IMPLEMENTED
    s3_code = "NotImplemented"


class RangeUnsatisfiable(DialectError):
    """The range begins behind the end of the object."""

    code = "S3.RANGE_UNSATISFIABLE"
    status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    s3_code = "InvalidRange"


class PreconditionFailed(DialectError):
    """The object is not, or is no longer, as the request demands."""

    code = "S3.PRECONDITION_FAILED"
    status = HTTPStatus.PRECONDITION_FAILED
    s3_code = "PreconditionFailed"


class DigestDiffers(DialectError):
    """The {name} of the body is not the one that was announced. Nothing was kept; send it again."""

    code = "S3.DIGEST_DIFFERS"
    s3_code = "BadDigest"


class BodyIncomplete(DialectError):
    """The body ended early, or is not in the encoding that was announced. Nothing was kept; send it again."""

    code = "S3.BODY_INCOMPLETE"
    s3_code = "IncompleteBody"


class DocumentMalformed(DialectError):
    """The XML of the request cannot be understood."""

    code = "S3.DOCUMENT_MALFORMED"
    s3_code = "MalformedXML"
