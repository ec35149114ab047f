"""Signatures of messages: Standard Webhooks 1.0.0, symmetric scheme ``v1``."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

_PREFIX = "whsec_"
_SECRET_BYTES = 32  # the specification asks for 24 to 64


def new_secret() -> str:
    """A random secret as its receiver keeps it."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signature(message_id: str, timestamp_s: int, body: bytes, signing: Sequence[str]) -> str:
    """The header ``webhook-signature``: one signature for each secret, so that a receiver may still have an older one.

    Parameters
    ----------
    message_id, timestamp_s
        What the headers ``webhook-id`` and ``webhook-timestamp`` say; seconds since 1970.
    body
        The bytes that are sent.
    signing
        Secrets as ``new_secret`` makes them.
    """
    content = f"{message_id}.{timestamp_s}.".encode() + body
    return " ".join(f"v1,{_sign(secret, content)}" for secret in signing)


def _sign(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    return base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
