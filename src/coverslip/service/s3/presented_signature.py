"""The signature that a request presents, in its query or in its header.

Source: "Authenticating Requests (AWS Signature Version 4)" of the Amazon S3 API reference.
"""

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from coverslip.service.s3.errors import (
    RequestExpired,
    RequestTimeTooSkewed,
    SignatureMalformed,
)
from coverslip.service.storage.signature_v4 import (
    DATE_FORMAT,
    MAX_LIFETIME_S,
    S3_ALGORITHM,
    UNSIGNED_PAYLOAD,
    canonical_request,
    s3_scope,
    s3_signature,
    text_to_sign,
)

CLOCK_TOLERANCE = timedelta(minutes=15)

_SIGNATURE = "X-Amz-Signature"
_HEADER = re.compile(
    rf"{S3_ALGORITHM}\s+Credential=(?P<credential>[^,\s]+),\s*SignedHeaders=(?P<headers>[^,\s]+),"
    r"\s*Signature=(?P<signature>[0-9a-f]{64})"
)
_DATE = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_LIFETIME = re.compile(r"[0-9]{1,6}")

Query = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class PresentedSignature:
    """What a request says of its signature; nothing of it is proven yet.

    Attributes
    ----------
    access_key_id, region, date
        Whose key signed it, for which region, when.
    lifetime_s
        For how long it was signed; None if it stands in the header and is for now.
    signed_headers
        Names in lower case.
    payload
        What was signed of the body: its SHA-256, or what is said in its place.
    query
        What is signed of the query: all but the signature.
    signature
        In hexadecimal.
    """

    access_key_id: str
    region: str
    date: str
    lifetime_s: int | None
    signed_headers: tuple[str, ...]
    payload: str
    query: Query
    signature: str

    def is_made_with(self, secret_access_key: str, method: str, path: str, headers: Mapping[str, str]) -> bool:
        """Whether it is the signature of this request by this secret."""
        signed = {name: headers.get(name, "") for name in self.signed_headers}
        request = canonical_request(method, path, self.query, signed, self.payload)
        text = text_to_sign(S3_ALGORITHM, self.date, s3_scope(self.region), request)
        expected = s3_signature(secret_access_key, day=self.date[:8], region=self.region, text=text)
        return hmac.compare_digest(self.signature.encode(), expected.encode())

    def check_time(self, now: datetime) -> None:
        """Check that the signature is valid now, with some tolerance for the client's clock.

        Raises
        ------
        RequestTimeTooSkewed, RequestExpired
        """
        signed_at = datetime.strptime(self.date, DATE_FORMAT).replace(tzinfo=UTC)
        if signed_at > now + CLOCK_TOLERANCE:
            raise RequestTimeTooSkewed
        if self.lifetime_s is None:
            if signed_at < now - CLOCK_TOLERANCE:
                raise RequestTimeTooSkewed
        elif signed_at + timedelta(seconds=self.lifetime_s) < now:
            raise RequestExpired


def presented_in_query(query: Query) -> PresentedSignature | None:
    """The signature in the query of a presigned URL; None if there is none.

    Raises
    ------
    SignatureMalformed
        If there is one that cannot be read.
    """
    given = dict(query)
    if _SIGNATURE not in given:
        return None
    if given.get("X-Amz-Algorithm") != S3_ALGORITHM:
        raise SignatureMalformed(fault=f"its algorithm is not {S3_ALGORITHM}")
    lifetime = given.get("X-Amz-Expires", "")
    if not _LIFETIME.fullmatch(lifetime) or not 1 <= int(lifetime) <= MAX_LIFETIME_S:
        raise SignatureMalformed(fault=f"X-Amz-Expires is not between 1 and {MAX_LIFETIME_S} seconds")
    return _presented(
        credential=given.get("X-Amz-Credential", ""),
        date=given.get("X-Amz-Date", ""),
        lifetime_s=int(lifetime),
        signed_headers=given.get("X-Amz-SignedHeaders", ""),
        payload=given.get("X-Amz-Content-Sha256", UNSIGNED_PAYLOAD),
        query=[(name, value) for name, value in query if name != _SIGNATURE],
        signature=given[_SIGNATURE],
    )


def presented_in_header(headers: Mapping[str, str], query: Query) -> PresentedSignature | None:
    """The signature in the header ``Authorization``; None if there is none of version 4.

    Raises
    ------
    SignatureMalformed
        If there is one that cannot be read.
    """
    authorization = headers.get("authorization", "")
    if not authorization.startswith(S3_ALGORITHM):
        return None
    found = _HEADER.fullmatch(authorization.strip())
    if found is None:
        raise SignatureMalformed(fault="the header Authorization lacks Credential, SignedHeaders or Signature")
    return _presented(
        credential=found["credential"],
        date=headers.get("x-amz-date", ""),
        lifetime_s=None,
        signed_headers=found["headers"],
        payload=headers.get("x-amz-content-sha256", ""),
        query=query,
        signature=found["signature"],
    )


def _presented(
    *,
    credential: str,
    date: str,
    lifetime_s: int | None,
    signed_headers: str,
    payload: str,
    query: Query,
    signature: str,
) -> PresentedSignature:
    parts = credential.split("/")
    if len(parts) != 5 or parts[3:] != ["s3", "aws4_request"]:
        raise SignatureMalformed(fault="its credential is not like KEY/DAY/REGION/s3/aws4_request")
    access_key_id, day, region = parts[:3]
    try:
        if not _DATE.fullmatch(date):
            raise ValueError
        datetime.strptime(date, DATE_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise SignatureMalformed(fault="its date is not like 20260131T235959Z") from None
    if day != date[:8]:
        raise SignatureMalformed(fault="its credential is for another day than its date")
    names = tuple(signed_headers.split(";"))
    if "host" not in names:
        raise SignatureMalformed(fault="the header 'host' is not signed")
    return PresentedSignature(access_key_id, region, date, lifetime_s, names, payload, query, signature)
