"""Who signed a request of the dialect."""

from datetime import UTC, datetime

from coverslip.service.access.principal import Principal
from coverslip.service.buckets.commands import holder_of
from coverslip.service.buckets.rules import bucket_name
from coverslip.service.context import Context
from coverslip.service.s3.dialect_request import DialectRequest
from coverslip.service.s3.errors import AccessDenied, AccessKeyUnknown, NoSuchBucket, SignatureDiffers
from coverslip.service.s3.presented_signature import (
    PresentedSignature,
    presented_in_header,
    presented_in_query,
)


async def authenticate(context: Context, request: DialectRequest) -> tuple[Principal, PresentedSignature]:
    """Whose key signed the request, and how.

    Beside a signed query, the header ``Authorization`` is ignored: clients send their token along with a URL that was
    given to them.

    Raises
    ------
    AccessDenied
        Without a signature.
    SignatureMalformed, AccessKeyUnknown, SignatureDiffers, RequestTimeTooSkewed, RequestExpired
        If the signature does not hold.
    NoSuchBucket
        If the key does not open the bucket, whether or not there is such a bucket.
    """
    presented = presented_in_query(request.query) or presented_in_header(request.headers, request.query)
    if presented is None:
        raise AccessDenied(reason="the request is not signed")
    holder = await holder_of(context, presented.access_key_id)
    if holder is None:
        raise AccessKeyUnknown
    # Google's stores take HEAD on a URL that was signed for GET, and clients ask it for the size of what they fetch.
    methods = ("HEAD", "GET") if request.method == "HEAD" else (request.method,)
    secret = holder.secret_access_key
    if not any(presented.is_made_with(secret, method, request.path, request.headers) for method in methods):
        raise SignatureDiffers
    presented.check_time(datetime.now(UTC))
    if request.bucket != bucket_name(holder.principal.organization_id):
        raise NoSuchBucket
    return holder.principal, presented
