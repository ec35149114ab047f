"""The check of every request: a valid token of a user who is still a member."""

from typing import Annotated

from fastapi import Depends
from fastapi.security import OAuth2AuthorizationCodeBearer
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from coverslip.service.access.principal import Principal, Role
from coverslip.service.context import Context, ContextDep, context_of
from coverslip.service.database.rows import AnyRow
from coverslip.service.database.scope import PlatformScope
from coverslip.service.errors import refusal
from coverslip.service.identity import queries
from coverslip.service.identity.errors import Unauthorized
from coverslip.service.identity.tokens import Claims, TokenRefused

_WITH_BODY = ("POST", "PUT", "PATCH")

_scheme = OAuth2AuthorizationCodeBearer(
    authorizationUrl="/authorize",
    tokenUrl="/oauth/token",
    scheme_name="OAuth2AuthorizationCodeBearer",
    auto_error=False,
)


async def current_member(
    request: Request, context: ContextDep, _token: Annotated[str | None, Depends(_scheme)]
) -> AnyRow:
    """The account, organization and role of the caller, as the database has them now.

    Raises
    ------
    Unauthorized
        Without a valid token, or when its session was ended, the account disabled or the organization left since.
    """
    claims = _claims_of(request, context)
    async with context.database.transaction(PlatformScope()) as connection:
        member = await queries.member_in_session(
            connection,
            user_id=claims.subject,
            organization_id=claims.organization_id,
            session_id=claims.session_id,
        )
    if member is None:
        raise Unauthorized
    return member


def _claims_of(request: Request, context: Context) -> Claims:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthorized
    try:
        return context.issuer.verify(token.strip())
    except TokenRefused:
        raise Unauthorized from None


class TokenBeforeBody:
    """Refuses requests without a token of ours before their bodies are read, which the framework would do first."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in _WITH_BODY:
            request = Request(scope)
            try:
                _claims_of(request, context_of(request))
            except Unauthorized as error:
                await refusal(request, error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


MemberDep = Annotated[AnyRow, Depends(current_member)]


def current_principal(member: MemberDep) -> Principal:
    """The caller, as rules see them."""
    return Principal(user_id=member.id, organization_id=member.organization_id, role=Role(member.role))


PrincipalDep = Annotated[Principal, Depends(current_principal)]
