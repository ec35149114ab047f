"""The check of every request: a valid token of a user who is still a member."""

from typing import Annotated

from fastapi import Depends
from fastapi.security import OAuth2AuthorizationCodeBearer
from starlette.requests import Request

from coverslip.service.access.principal import Principal, Role
from coverslip.service.context import ContextDep
from coverslip.service.database.rows import AnyRow
from coverslip.service.database.scope import PlatformScope
from coverslip.service.identity import queries
from coverslip.service.identity.errors import Unauthorized
from coverslip.service.identity.tokens import TokenRefused

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
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthorized
    try:
        claims = context.issuer.verify(token.strip())
    except TokenRefused:
        raise Unauthorized from None
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


MemberDep = Annotated[AnyRow, Depends(current_member)]


def current_principal(member: MemberDep) -> Principal:
    """The caller, as rules see them."""
    return Principal(user_id=member.id, organization_id=member.organization_id, role=Role(member.role))


PrincipalDep = Annotated[Principal, Depends(current_principal)]
