"""Names and keys of buckets."""

import base64
import hashlib
import secrets

from coverslip.service.access.principal import Principal, Role

_NAME_DIGITS = 20
_ID_BYTES = 10
_SECRET_BYTES = 30


def bucket_name(organization_id: str) -> str:
    """The bucket of an organization: the same for ever, and good for a part of a host name."""
    return f"coverslip-{hashlib.sha256(organization_id.encode()).hexdigest()[:_NAME_DIGITS]}"


def new_access_key_id() -> str:
    """20 letters and digits, as other S3 keys have."""
    return f"CVSL{base64.b32encode(secrets.token_bytes(_ID_BYTES)).decode()}"


def new_secret_access_key() -> str:
    """40 characters: 240 random bits."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def may_remove(principal: Principal, owner_id: str) -> bool:
    """Whether a bucket key of ``principal`` may delete or replace what ``owner_id`` put into the bucket."""
    return principal.user_id == owner_id or principal.role in (Role.ADMIN, Role.SUPER_ADMIN)


def may_revoke(principal: Principal, *, organization_id: str, owner_id: str) -> bool:
    """Whether ``principal`` may revoke a key: their own; an administrator, any of the organization."""
    if principal.role is Role.SUPER_ADMIN:
        return True
    if principal.organization_id != organization_id:
        return False
    return principal.user_id == owner_id or principal.role is Role.ADMIN
