"""Random secrets given to people and programs; only their hashes are stored."""

import hashlib
import secrets

# Without vowels and look-alikes: no words by accident, nothing misread (RFC 8628, section 6.1).
_USER_CODE_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"


def new_secret() -> str:
    """A URL-safe secret of 256 random bits."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> bytes:
    """What is stored of a secret. It has 256 random bits, so a plain SHA-256 cannot be searched."""
    return hashlib.sha256(secret.encode()).digest()


def new_user_code() -> str:
    """A code that a person types, such as ``WDJB-MJHT``."""
    letters = [secrets.choice(_USER_CODE_ALPHABET) for _ in range(8)]
    return "".join(letters[:4]) + "-" + "".join(letters[4:])
