"""Checks requests to Google Cloud Storage by the public key of a service account; shares nothing with our signer.

Source: "Canonical requests", "V4 signing process" and "Signed URLs" of the Cloud Storage documentation; for bearer
tokens, "Authorizing with self-signed JWTs" of Google's documentation of service accounts.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import quote_plus, unquote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

LONGEST_S = 604_800
SCOPES = ("https://www.googleapis.com/auth/devstorage.full_control", "https://www.googleapis.com/auth/cloud-platform")


class NotAllowed(Exception):
    """This request is not signed as it must be."""


def check_signed_url(
    method: str, target: str, headers: Mapping[str, str], *, email: str, key: RSAPublicKey, now: datetime | None = None
) -> None:
    """Check a request whose query is signed.

    Parameters
    ----------
    target
        Path and query as they were sent.
    headers
        With names in lower case.

    Raises
    ------
    NotAllowed
    """
    path, _, query = target.partition("?")
    pairs = [(unquote(name), unquote(value)) for name, _, value in (pair.partition("=") for pair in query.split("&"))]
    given = dict(pairs)
    if len(given) != len(pairs):
        raise NotAllowed("a parameter is there twice")
    try:
        algorithm, credential, date, expires, names, signature = (
            given["X-Goog-" + name]
            for name in ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")
        )
        signed_at = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        seconds, signed_bytes = int(expires), bytes.fromhex(signature)
        signed_headers = {name: re.sub(r"\s+", " ", headers[name]).strip() for name in names.split(";")}
    except (KeyError, ValueError) as error:
        raise NotAllowed(f"it is incomplete: {error}") from error
    scope = credential.removeprefix(f"{email}/")
    if algorithm != "GOOG4-RSA-SHA256" or not re.fullmatch(rf"{date[:8]}/[a-z0-9-]+/storage/goog4_request", scope):
        raise NotAllowed("it is signed by another scheme or for another use")
    now = now or datetime.now(UTC)
    if not 0 < seconds <= LONGEST_S or now < signed_at - timedelta(minutes=15):
        raise NotAllowed("it is signed for too long or for later")
    if now > signed_at + timedelta(seconds=seconds):
        raise NotAllowed("it has expired")
    if "host" not in signed_headers or any(
        name.startswith("x-goog-") and name not in signed_headers for name in headers
    ):
        raise NotAllowed("a header is not signed")
    canonical = "\n".join(
        [
            method,
            path,
            "&".join(sorted(f"{_escaped(name)}={_escaped(value)}" for name, value in pairs if "Signature" not in name)),
            *(f"{name}:{value}" for name, value in sorted(signed_headers.items())),
            "",
            ";".join(sorted(signed_headers)),
            headers.get("x-goog-content-sha256", "UNSIGNED-PAYLOAD"),
        ]
    )
    text = "\n".join([algorithm, date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    try:
        key.verify(signed_bytes, text.encode(), PKCS1v15(), hashes.SHA256())
    except InvalidSignature as error:
        raise NotAllowed("the signature is of something else") from error


def check_bearer_token(authorization: str, *, email: str, key: RSAPublicKey) -> None:
    """Check a token that the account has signed for itself.

    Raises
    ------
    NotAllowed
    """
    scheme, _, token = authorization.partition(" ")
    try:
        claims = jwt.decode(token, RSAKey.import_key(key), algorithms=["RS256"]).claims
    except (JoseError, ValueError) as error:
        raise NotAllowed("the token is not signed") from error
    if scheme != "Bearer" or (claims["iss"], claims["sub"]) != (email, email) or claims.get("scope") not in SCOPES:
        raise NotAllowed("the token is of somebody else, or for something else")
    if claims["exp"] < datetime.now(UTC).timestamp():
        raise NotAllowed("the token has expired")


def _escaped(text: str) -> str:
    return quote_plus(text, safe="-_.~").replace("+", "%20")
