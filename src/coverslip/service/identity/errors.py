"""Why somebody could not sign in."""

from http import HTTPStatus
from typing import ClassVar

from coverslip.contract.errors import CoverslipError
from coverslip.service.errors import ServiceError


class Unauthorized(ServiceError):
    """You are not signed in, or your token is not valid any more."""

    code = "AUTH.UNAUTHORIZED"
    status = HTTPStatus.UNAUTHORIZED
    remedy = "Sign in again with `coverslip user login`."
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": "Bearer"}


class OAuthError(CoverslipError):
    """The token request was refused."""

    error: ClassVar[str] = "invalid_request"
    """The error code of RFC 6749, section 5.2, or RFC 8628, section 3.5."""


class GrantTypeUnsupported(OAuthError):
    """This server does not know the grant type '{grant_type}'."""

    code = "AUTH.GRANT_TYPE_UNSUPPORTED"
    error = "unsupported_grant_type"


class ParameterMissing(OAuthError):
    """The request lacks the parameter '{name}'."""

    code = "AUTH.PARAMETER_MISSING"


class LinkInvalid(OAuthError):
    """This one-time link has been used already, has expired, or is incomplete. The operator of the server can make a
    new one with `coverslip system login-link`."""

    code = "AUTH.LINK_INVALID"
    error = "invalid_grant"


class SetupIncomplete(OAuthError):
    """The first login sets up the platform: {fault}."""

    code = "AUTH.SETUP_INCOMPLETE"


class AlreadySetUp(OAuthError):
    """This platform has an administrator already. Sign in, or ask that person to invite you."""

    code = "AUTH.ALREADY_SET_UP"
    error = "invalid_grant"


class RefreshTokenInvalid(OAuthError):
    """This session has ended. Sign in again."""

    code = "AUTH.REFRESH_TOKEN_INVALID"
    error = "invalid_grant"


class MembershipMissing(OAuthError):
    """This account belongs to no organization. Ask an administrator to invite you."""

    code = "AUTH.MEMBERSHIP_MISSING"
    error = "invalid_grant"


class AuthorizationPending(OAuthError):
    """Nobody has confirmed this code yet."""

    code = "AUTH.AUTHORIZATION_PENDING"
    error = "authorization_pending"


class DeviceCodeExpired(OAuthError):
    """The code has expired. Start the login again."""

    code = "AUTH.DEVICE_CODE_EXPIRED"
    error = "expired_token"


class DeviceCodeInvalid(OAuthError):
    """This device code is not known, or has been redeemed."""

    code = "AUTH.DEVICE_CODE_INVALID"
    error = "invalid_grant"


class PasswordRefused(CoverslipError):
    """E-mail address or password is wrong. After five wrong passwords the account refuses any for 15 minutes."""

    code = "AUTH.PASSWORD_REFUSED"


class LoginThrottled(CoverslipError):
    """Too many wrong passwords for this account. Wait 15 minutes, or ask the operator for a one-time link."""

    code = "AUTH.LOGIN_THROTTLED"


class UserCodeUnknown(CoverslipError):
    """No device waits with the code {user_code}. Check it, or start the login on the device again."""

    code = "AUTH.USER_CODE_UNKNOWN"
