"""Making, finding and revoking share tokens: each one transaction."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

from coverslip.service.access import grant_queries
from coverslip.service.access import share_token_queries as queries
from coverslip.service.access.errors import ExpiryPassed, ShareTokenNotFound, ShareTokenRevoked
from coverslip.service.access.principal import Principal
from coverslip.service.access.rules import OrganizationRuns, readable_runs
from coverslip.service.access.sharing_rules import is_past, subjects_of
from coverslip.service.audit import queries as audit
from coverslip.service.context import Context
from coverslip.service.database.rows import AnyRow
from coverslip.service.database.scope import OrganizationScope
from coverslip.service.errors import Forbidden
from coverslip.service.identity.secrets import hash_secret, new_secret


@dataclass(frozen=True)
class NewShareToken:
    """A share token with its secret, which nobody can read again."""

    row: AnyRow
    secret: str


async def create_share_token(context: Context, principal: Principal, expires_at: datetime | None) -> NewShareToken:
    """Make a share token. It opens nothing until it is granted something.

    Raises
    ------
    ExpiryPassed
    """
    if is_past(expires_at, datetime.now(UTC)):
        raise ExpiryPassed
    secret = new_secret()
    async with context.database.transaction(principal.scope) as connection:
        row = await queries.insert_share_token(
            connection,
            {
                "id": uuid4(),
                "organization_id": principal.organization_id,
                "created_by": principal.user_id,
                "secret_hash": hash_secret(secret),
                "expires_at": expires_at,
            },
        )
        await audit.record(
            connection,
            "share_token.created",
            subject=str(row.id),
            user_id=principal.user_id,
            organization_id=row.organization_id,
            expires_at=expires_at.isoformat() if expires_at else None,
        )
    return NewShareToken(row, secret)


@dataclass(frozen=True)
class FoundShareToken:
    """A share token that the caller may see, and whether they may revoke it and give grants with it."""

    row: AnyRow
    is_own: bool


async def find_share_token(context: Context, principal: Principal, token_id: UUID) -> FoundShareToken:
    """A token of ``principal``, or for administrators of their organization; or one they were granted to see.

    Raises
    ------
    ShareTokenNotFound
    """
    async with context.database.transaction(principal.scope) as connection:
        own = await queries.share_token_by_id(connection, token_id, readable_runs(principal))
        if own is not None:
            return FoundShareToken(own, is_own=True)
        grant = await grant_queries.grant_on_token(connection, token_id, subjects_of(principal))
    if grant is not None:
        async with context.database.transaction(OrganizationScope(grant.organization_id)) as connection:
            row = await queries.share_token_by_id(connection, token_id, OrganizationRuns(grant.organization_id))
        if row is not None:
            return FoundShareToken(row, is_own=False)
    raise ShareTokenNotFound


async def revoke_share_token(context: Context, principal: Principal, token_id: UUID) -> AnyRow:
    """End a share token, whatever it has been granted.

    Raises
    ------
    ShareTokenNotFound, ShareTokenRevoked
    Forbidden
        If the caller may only see it.
    """
    found = await find_share_token(context, principal, token_id)
    if not found.is_own:
        raise Forbidden(needed="having made it, or being an administrator, to revoke a share token")
    async with context.database.transaction(principal.scope) as connection:
        row = await queries.revoke_share_token(connection, token_id)
        if row is None:
            raise ShareTokenRevoked
        await audit.record(
            connection,
            "share_token.revoked",
            subject=str(token_id),
            user_id=principal.user_id,
            organization_id=row.organization_id,
        )
    return row
