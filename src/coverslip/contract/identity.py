"""Signing in: the requests and answers of the embedded issuer that are not plain OAuth 2.0 forms."""

from uuid import UUID

from pydantic import BaseModel, Field

from coverslip.contract.fields import Instant, StorableText

ONE_TIME_LINK_GRANT = "urn:coverslip:params:oauth:grant-type:one-time-link"
"""Extension grant (RFC 6749, section 4.5) that redeems the secret of a one-time link."""

DEVICE_CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
"""RFC 8628, section 3.4."""

CLI_CLIENT_ID = "coverslip-cli"

PUBLISHED_CLIENT_ID = "aignostics"
"""The published Python client, in all its ways to log in."""

OFFLINE_ACCESS = "offline_access"
"""The scope that keeps a client logged in (OpenID Connect Core 1.0, section 11)."""


class TokenResponse(BaseModel):
    """RFC 6749, section 5.1."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105
    expires_in: int
    refresh_token: str | None = None
    scope: str | None = None
    id_token: str | None = None


class DeviceAuthorizationResponse(BaseModel):
    """RFC 8628, section 3.2."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int


class PlatformDescription(BaseModel):
    """What a client must know to log in, from ``/.well-known/coverslip``: discovery and more."""

    api_root: str
    issuer: str
    audience: str
    authorization_endpoint: str
    token_endpoint: str
    device_authorization_endpoint: str
    jwks_uri: str
    published_client_id: str


class SessionCreateRequest(BaseModel):
    """A session of its own for another client of the caller."""

    refresh_token: StorableText = Field(max_length=1000)
    """Of the caller's own session: an access token alone, which many programs see, cannot prolong itself."""
    client_id: StorableText = Field(min_length=1, max_length=255)
    label: StorableText | None = Field(default=None, max_length=255)


class SessionReadResponse(BaseModel):
    """A login of the caller that lasts."""

    session_id: UUID
    client_id: str
    label: str | None
    organization_id: str
    created_at: Instant
    last_used_at: Instant | None
    expires_at: Instant


class SessionCreateResponse(SessionReadResponse):
    """The new session with its refresh token, which is shown this once."""

    refresh_token: str
