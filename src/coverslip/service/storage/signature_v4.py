"""What signatures of version 4 cover, those of S3 and of Google alike, and how S3 makes them.

Source: "Authenticating Requests (AWS Signature Version 4)" of the Amazon S3 API reference, and "V4 signing process with
your own program" of the Cloud Storage documentation. Both hash the same canonical request.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from urllib.parse import quote

S3_ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
DATE_FORMAT = "%Y%m%dT%H%M%SZ"

MAX_LIFETIME_S = 7 * 24 * 3600
"""The longest time for which a signed URL may be valid."""


def canonical_query(query: Iterable[tuple[str, str]]) -> str:
    """A query as it is signed: everything escaped, sorted by what was escaped."""
    pairs = sorted((quote(name, safe=""), quote(value, safe="")) for name, value in query)
    return "&".join(f"{name}={value}" for name, value in pairs)


def canonical_request(
    method: str,
    path: str,
    query: Iterable[tuple[str, str]],
    headers: Mapping[str, str],
    payload: str = UNSIGNED_PAYLOAD,
) -> str:
    """A request as it is signed.

    Parameters
    ----------
    path
        The absolute path, not escaped.
    query
        Names and values, not escaped, without the signature.
    headers
        Those that are signed, with names in lower case.
    payload
        The SHA-256 of the body in hexadecimal, or what is said in its place.
    """
    lines = [method, quote(path), canonical_query(query)]
    lines += [f"{name}:{value}" for name, value in sorted(headers.items())]
    return "\n".join([*lines, "", ";".join(sorted(headers)), payload])


def text_to_sign(algorithm: str, date: str, scope: str, request: str) -> bytes:
    """The text that is signed in place of a canonical request.

    Parameters
    ----------
    date
        When it is signed, in ``DATE_FORMAT``.
    scope
        What the key is used for; follows the day.
    """
    digest = hashlib.sha256(request.encode()).hexdigest()
    return "\n".join([algorithm, date, f"{date[:8]}/{scope}", digest]).encode()


def s3_scope(region: str) -> str:
    """What a key of S3 is used for."""
    return f"{region}/s3/aws4_request"


def s3_signature(secret_access_key: str, *, day: str, region: str, text: bytes) -> str:
    """The signature of a text, in hexadecimal, by a key derived from the secret for one day and region."""
    key = f"AWS4{secret_access_key}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text, "sha256").hex()
