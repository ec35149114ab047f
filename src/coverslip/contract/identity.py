"""Signing in: the requests and answers of the embedded issuer that are not plain OAuth 2.0 forms."""

from pydantic import BaseModel

ONE_TIME_LINK_GRANT = "urn:coverslip:params:oauth:grant-type:one-time-link"
"""Extension grant (RFC 6749, section 4.5) that redeems the secret of a one-time link."""

DEVICE_CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
"""RFC 8628, section 3.4."""

CLI_CLIENT_ID = "coverslip-cli"


class TokenResponse(BaseModel):
    """RFC 6749, section 5.1."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105
    expires_in: int
    refresh_token: str | None = None


class DeviceAuthorizationResponse(BaseModel):
    """RFC 8628, section 3.2."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int
