"""Signing in with a browser: ``/authorize`` and what follows until the person is sent back to the client.

No cookie is kept: each sign-in takes the password or a one-time link, so no page elsewhere can use a person's presence.
"""

from http import HTTPStatus

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from coverslip.contract.errors import CoverslipError
from coverslip.service.context import Context, ContextDep
from coverslip.service.identity.authorization_request import AuthorizationRequest, answer, form_target, read_request
from coverslip.service.identity.clients import known_clients
from coverslip.service.identity.errors import AuthorizationRefused, OAuthError
from coverslip.service.identity.links import link_secret
from coverslip.service.identity.rendering import Field, message, page, refuse_cross_site

router = APIRouter(include_in_schema=False)

_NO_STORE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


def _send_to(location: str) -> Response:
    # 303, so that no browser sends the password on (RFC 9700, section 4.12).
    return RedirectResponse(location, HTTPStatus.SEE_OTHER, _NO_STORE)


def _read(request: Request, context: Context) -> AuthorizationRequest:
    clients = known_clients(context.settings.oauth_clients)
    return read_request(request.query_params.multi_items(), clients, context.settings.audience)


def _not_valid(request: Request, error: AuthorizationRefused | OAuthError) -> Response:
    if isinstance(error, AuthorizationRefused):
        return _send_to(error.location)
    return message(request, "This login cannot go on", str(error), HTTPStatus.BAD_REQUEST)


def _form(
    request: Request, asked: AuthorizationRequest, status: int = HTTPStatus.OK, *, email: str = "", fault: str = ""
) -> Response:
    return page(
        request,
        "authorize.html",
        status,
        form_target=form_target(asked.redirect_uri),
        client=asked.client_name,
        cancel=answer(asked.redirect_uri, asked.state, error="access_denied"),
        email=email,
        fault=fault,
    )


@router.get("/authorize")
async def authorize(request: Request, context: ContextDep) -> Response:
    """Ask the person to sign in the client that sent them (RFC 6749, section 4.1.1)."""
    try:
        asked = _read(request, context)
    except (AuthorizationRefused, OAuthError) as error:
        return _not_valid(request, error)
    return _form(request, asked)


@router.post("/authorize", dependencies=[Depends(refuse_cross_site)])
async def sign_in(
    request: Request, context: ContextDep, email: Field = "", password: Field = "", link: Field = ""
) -> Response:
    """Take password or link; send the person back with a code, or ask for which organization they act."""
    try:
        asked = _read(request, context)
    except (AuthorizationRefused, OAuthError) as error:
        return _not_valid(request, error)
    codes = context.sign_in.codes
    try:
        if link:
            granted = await codes.grant_by_link(asked, link_secret(link))
        else:
            granted = await codes.grant(asked, await context.sign_in.check_password(email, password))
    except CoverslipError as error:
        return _form(request, asked, HTTPStatus.BAD_REQUEST, email=email, fault=str(error))
    if not granted.choices:
        return _send_to(answer(asked.redirect_uri, asked.state, code=granted.code))
    return page(
        request,
        "organization.html",
        form_target=form_target(asked.redirect_uri),
        client=asked.client_name,
        code=granted.code,
        organizations=granted.choices,
    )


@router.post("/authorize/organization", dependencies=[Depends(refuse_cross_site)])
async def choose_organization(request: Request, context: ContextDep, code: Field, organization: Field) -> Response:
    """Take the choice and send the person back with the code."""
    try:
        return _send_to(await context.sign_in.codes.choose(code, organization))
    except CoverslipError as error:
        return message(request, "This login cannot go on", str(error), HTTPStatus.BAD_REQUEST)
