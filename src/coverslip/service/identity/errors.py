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


class ParameterRepeated(OAuthError):
    """The request holds the parameter '{name}' more than once."""

    code = "AUTH.PARAMETER_REPEATED"


class ClientUnknown(OAuthError):
    """This server knows no client '{client_id}' that signs people in with a browser. The operator can name further ones
    with COVERSLIP_OAUTH_CLIENTS."""

    code = "AUTH.CLIENT_UNKNOWN"
    error = "unauthorized_client"


class RedirectUnknown(OAuthError):
    """The program that sent you here wants the answer at '{redirect_uri}', which is not an address of its own. Do not
    go on unless you know why; the operator can allow addresses with COVERSLIP_OAUTH_CLIENTS."""

    code = "AUTH.REDIRECT_UNKNOWN"


class ResponseTypeUnsupported(OAuthError):
    """This server answers with the response type 'code' alone, not with '{response_type}'."""

    code = "AUTH.RESPONSE_TYPE_UNSUPPORTED"
    error = "unsupported_response_type"


class CodeChallengeMissing(OAuthError):
    """This server needs PKCE: send code_challenge_method=S256 and a code_challenge of 43 characters (RFC 7636)."""

    code = "AUTH.CODE_CHALLENGE_MISSING"


class AudienceUnknown(OAuthError):
    """The tokens of this server are for the audience '{audience}', not for '{asked}'."""

    code = "AUTH.AUDIENCE_UNKNOWN"
    error = "invalid_target"  # RFC 8707, section 2


class AuthorizationRefused(CoverslipError):
    """The authorization request is not valid; the client hears why."""

    code = "AUTH.AUTHORIZATION_REFUSED"

    def __init__(self, location: str) -> None:
        super().__init__()
        self.location = location
        """The client's own address, with the reason."""


class CodeInvalid(OAuthError):
    """This authorization code is not known, has expired or has been used, or it was given to another client, redirect
    address or code challenge. Start the login again."""

    code = "AUTH.CODE_INVALID"
    error = "invalid_grant"


class ChoiceExpired(OAuthError):
    """You took too long to choose, or have chosen already. Start the login again."""

    code = "AUTH.CHOICE_EXPIRED"
    error = "invalid_grant"


class NotAMember(CoverslipError):
    """You are no member of the organization '{organization_id}' that this program asks for."""

    code = "AUTH.NOT_A_MEMBER"


class LinkIsForSetup(CoverslipError):
    """This link sets up the platform. Open it in the browser first, then come back."""

    code = "AUTH.LINK_IS_FOR_SETUP"


class CrossSite(ServiceError):
    """This form was sent from another site."""

    code = "AUTH.CROSS_SITE"
    status = HTTPStatus.FORBIDDEN
    remedy = "Open the page itself and send the form from there."


class SessionUnknown(ServiceError):
    """session not found"""

    code = "AUTH.SESSION_UNKNOWN"
    status = HTTPStatus.NOT_FOUND


class SessionNotYours(ServiceError):
    """The refresh token is not one of your own, or its session has ended."""

    code = "AUTH.SESSION_NOT_YOURS"
    status = HTTPStatus.FORBIDDEN
    remedy = "Sign in again with `coverslip user login`."


class LinkInvalid(OAuthError):
    """This one-time link has been used already, has expired, or is incomplete. The operator of the server can make a
    new one with `coverslip system login-link`."""

    code = "AUTH.LINK_INVALID"
    error = "invalid_grant"


class SetupIncomplete(OAuthError):
    """The first login sets up the platform: {fault}."""

    code = "AUTH.SETUP_INCOMPLETE"


class AlreadySetUp(OAuthError):
    """This platform has an administrator already. If that is you, sign in with `coverslip user login`; without a
    password, by a new one-time link that the operator of the server makes with `coverslip system login-link`."""

    code = "AUTH.ALREADY_SET_UP"
    error = "invalid_grant"


class RefreshTokenInvalid(OAuthError):
    """This session has ended. Sign in again."""

    code = "AUTH.REFRESH_TOKEN_INVALID"
    error = "invalid_grant"


class MembershipMissing(OAuthError):
    """This account belongs to no organization, so there is nothing it could see. Sign in with an account that does; the
    operator of the server makes a link for one with `coverslip system login-link --email ADDRESS`."""

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
