"""The embedded issuer's endpoints for programs: tokens, devices, keys, who somebody is."""

from typing import Annotated, Any

from fastapi import APIRouter, Form
from fastapi.responses import JSONResponse

from coverslip.contract.fields import StorableText
from coverslip.contract.identity import (
    DEVICE_CODE_GRANT,
    ONE_TIME_LINK_GRANT,
    DeviceAuthorizationResponse,
    TokenResponse,
)
from coverslip.service.context import ContextDep
from coverslip.service.identity.authentication import MemberDep
from coverslip.service.identity.authorization_request import check_audience, granted_scope
from coverslip.service.identity.errors import GrantTypeUnsupported, OAuthError, ParameterMissing
from coverslip.service.identity.profile import profile
from coverslip.service.identity.setup import FirstAdministrator

router = APIRouter(tags=["Sign-in"])

Parameter = Annotated[StorableText | None, Form(max_length=4096)]


def _refusal(error: OAuthError) -> JSONResponse:
    body = {"error": error.error, "error_description": str(error)}
    return JSONResponse(body, status_code=400, headers={"Cache-Control": "no-store"})


def _required(name: str, value: str | None) -> str:
    if not value:
        raise ParameterMissing(name=name)
    return value


@router.post("/oauth/token", response_model=TokenResponse)
async def token(
    context: ContextDep,
    grant_type: Parameter = None,
    client_id: Parameter = None,
    refresh_token: Parameter = None,
    device_code: Parameter = None,
    code: Parameter = None,
    redirect_uri: Parameter = None,
    code_verifier: Parameter = None,
    link_secret: Parameter = None,
    organization: Parameter = None,
    email: Parameter = None,
    name: Parameter = None,
    password: Parameter = None,
) -> Any:
    """Exchange a grant for an access token (RFC 6749, RFC 8628, and our one-time links)."""
    try:
        client = _required("client_id", client_id)
        match _required("grant_type", grant_type):
            case "refresh_token":
                answer = await context.sign_in.sessions.refresh(
                    _required("refresh_token", refresh_token), client_id=client
                )
            case "authorization_code":
                answer = await context.sign_in.codes.redeem(
                    _required("code", code),
                    client_id=client,
                    redirect_uri=_required("redirect_uri", redirect_uri),
                    code_verifier=_required("code_verifier", code_verifier),
                )
            case str(grant) if grant == DEVICE_CODE_GRANT:
                answer = await context.sign_in.redeem_device(_required("device_code", device_code), client_id=client)
            case str(grant) if grant == ONE_TIME_LINK_GRANT:
                administrator = None
                if organization or email or name:
                    administrator = FirstAdministrator(organization or "", email or "", name or "", password or None)
                answer = await context.sign_in.redeem_link(
                    _required("link_secret", link_secret), client_id=client, administrator=administrator
                )
            case other:
                raise GrantTypeUnsupported(grant_type=other)
    except OAuthError as error:
        return _refusal(error)
    return JSONResponse(answer.model_dump(exclude_none=True), headers={"Cache-Control": "no-store"})


@router.post("/oauth/revoke", status_code=200)
async def revoke(context: ContextDep, token: Annotated[StorableText, Form(max_length=4096)]) -> None:
    """End the session of a refresh or access token (RFC 7009)."""
    await context.sign_in.sessions.revoke(token)


@router.post("/oauth/device/code", response_model=DeviceAuthorizationResponse)
async def start_device(
    context: ContextDep,
    client_id: Parameter = None,
    scope: Annotated[list[StorableText] | None, Form()] = None,
    audience: Parameter = None,
) -> Any:
    """Begin the device flow (RFC 8628). Scopes may come as one parameter or as several."""
    try:
        check_audience(audience, context.settings.audience)
        return await context.sign_in.start_device(
            _required("client_id", client_id),
            f"{context.settings.public_url}/device",
            granted_scope(" ".join(scope or ())),
        )
    except OAuthError as error:
        return _refusal(error)


@router.get("/.well-known/jwks.json")
async def jwks(context: ContextDep) -> dict[str, Any]:
    """The public keys that verify our tokens (RFC 7517)."""
    return context.issuer.keys.jwks


@router.get("/oauth/userinfo")
async def userinfo(member: MemberDep) -> dict[str, Any]:
    """Who the caller is (OpenID Connect Core 1.0, section 5.3)."""
    return profile(member, ("profile", "email"))
