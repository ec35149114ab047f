"""SQL about share tokens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, and_, cast, exists, func, insert, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.access import SubjectType
from coverslip.service.access.rules import AllRuns, OrganizationRuns, Ownership, OwnRuns
from coverslip.service.access.tables import access_grant, share_token
from coverslip.service.database.rows import AnyRow
from coverslip.service.paging import Page, SortOrder

SHARE_TOKEN_SORT: Mapping[str, ColumnElement[Any]] = {
    "share_token_id": share_token.c.id,
    "created_by": share_token.c.created_by,
    "created_at": share_token.c.created_at,
    "expires_at": share_token.c.expires_at,
    "revoked": share_token.c.revoked_at.is_not(None),
}


@dataclass(frozen=True)
class ShareTokenFilter:
    """What a list of share tokens is narrowed to."""

    run_id: UUID | None = None
    created_by: str | None = None
    revoked: bool | None = None


def _in_scope(scope: Ownership) -> ColumnElement[bool]:
    """The condition that a token belongs to whoever owns ``scope``."""
    match scope:
        case OwnRuns(organization_id, user_id):
            return and_(share_token.c.organization_id == organization_id, share_token.c.created_by == user_id)
        case OrganizationRuns(organization_id):
            return share_token.c.organization_id == organization_id
        case AllRuns():
            return true()


async def insert_share_token(connection: AsyncConnection, values: Mapping[str, Any]) -> AnyRow:
    row: AnyRow = (await connection.execute(insert(share_token).values(**values).returning(share_token))).one()
    return row


async def share_tokens(
    connection: AsyncConnection, scope: Ownership, narrow: ShareTokenFilter, *, order: SortOrder, page: Page
) -> Sequence[AnyRow]:
    """The tokens in ``scope`` that pass the filter; without an order, the newest first."""
    conditions = [_in_scope(scope)]
    if narrow.run_id is not None:
        opens = exists().where(
            access_grant.c.run_id == narrow.run_id,
            access_grant.c.subject_type == SubjectType.SHARE_TOKEN,
            access_grant.c.subject_id == cast(share_token.c.id, String),
            access_grant.c.revoked_at.is_(None),
        )
        conditions.append(opens)
    if narrow.created_by is not None:
        conditions.append(share_token.c.created_by == narrow.created_by)
    if narrow.revoked is not None:
        conditions.append(share_token.c.revoked_at.is_not(None) == narrow.revoked)
    newest_first = [share_token.c.created_at.desc()]
    statement = select(share_token).where(*conditions).order_by(*(order or newest_first), share_token.c.id)
    return (await connection.execute(page.of(statement))).all()


async def share_token_by_id(
    connection: AsyncConnection, token_id: UUID, scope: Ownership, *, only_valid: bool = False
) -> AnyRow | None:
    """A token in ``scope``; with ``only_valid``, one that has been neither revoked nor has expired."""
    statement = select(share_token).where(share_token.c.id == token_id, _in_scope(scope))
    if only_valid:
        statement = statement.where(
            share_token.c.revoked_at.is_(None),
            or_(share_token.c.expires_at.is_(None), share_token.c.expires_at > func.now()),
        )
    return (await connection.execute(statement)).one_or_none()


async def revoke_share_token(connection: AsyncConnection, token_id: UUID) -> AnyRow | None:
    """End a token; None if it has been revoked before."""
    statement = (
        update(share_token)
        .where(share_token.c.id == token_id, share_token.c.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .returning(share_token)
    )
    row: AnyRow | None = (await connection.execute(statement)).one_or_none()
    return row
