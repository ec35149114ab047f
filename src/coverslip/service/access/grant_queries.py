"""SQL about grants."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, and_, cast, exists, func, or_, select, true, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.access import GrantRelation, ResourceType, SubjectType
from coverslip.service.access.rules import AllRuns, OrganizationRuns, Ownership, OwnRuns
from coverslip.service.access.sharing_rules import Place
from coverslip.service.access.tables import access_grant, share_token
from coverslip.service.artifacts.tables import output_artifact
from coverslip.service.database.rows import AnyRow
from coverslip.service.identity.tables import user_account
from coverslip.service.items.tables import item
from coverslip.service.organizations.tables import membership, organization
from coverslip.service.paging import Page, SortOrder
from coverslip.service.runs.tables import run

GRANT_SORT: Mapping[str, ColumnElement[Any]] = {
    "grant_id": access_grant.c.id,
    "resource_type": access_grant.c.resource_type,
    "resource_id": access_grant.c.resource_id,
    "subject_type": access_grant.c.subject_type,
    "subject_id": access_grant.c.subject_id,
    "relation": access_grant.c.relation,
    "created_by": access_grant.c.created_by,
    "created_at": access_grant.c.created_at,
    "revoked": access_grant.c.revoked_at.is_not(None),
}


@dataclass(frozen=True)
class GrantFilter:
    """What a list of grants is narrowed to."""

    resource_type: ResourceType | None = None
    resource_id: UUID | None = None
    subject_type: SubjectType | None = None
    subject_id: str | None = None
    relation: Sequence[GrantRelation] | None = None
    revoked: bool | None = None


def _manageable(scope: Ownership) -> ColumnElement[bool]:
    """The condition that a grant was given by, or is on something of, whoever owns ``scope``."""
    match scope:
        case OwnRuns(organization_id, user_id):
            own_run = exists().where(run.c.id == access_grant.c.run_id, run.c.submitted_by == user_id)
            own_token = exists().where(
                share_token.c.id == access_grant.c.resource_id, share_token.c.created_by == user_id
            )
            own = or_(access_grant.c.created_by == user_id, own_run, own_token)
            return and_(access_grant.c.organization_id == organization_id, own)
        case OrganizationRuns(organization_id):
            return access_grant.c.organization_id == organization_id
        case AllRuns():
            return true()


async def grants(
    connection: AsyncConnection, scope: Ownership, narrow: GrantFilter, *, order: SortOrder, page: Page
) -> Sequence[AnyRow]:
    """The grants that the owner of ``scope`` manages and that pass the filter; without an order, the newest first."""
    conditions = [_manageable(scope)]
    equal: dict[ColumnElement[Any], Any] = {
        access_grant.c.resource_type: narrow.resource_type,
        access_grant.c.resource_id: narrow.resource_id,
        access_grant.c.subject_type: narrow.subject_type,
        access_grant.c.subject_id: narrow.subject_id,
    }
    conditions += [column == value for column, value in equal.items() if value is not None]
    if narrow.relation is not None:
        conditions.append(access_grant.c.relation.in_(narrow.relation))
    if narrow.revoked is not None:
        conditions.append(access_grant.c.revoked_at.is_not(None) == narrow.revoked)
    newest_first = [access_grant.c.created_at.desc()]
    statement = select(access_grant).where(*conditions).order_by(*(order or newest_first), access_grant.c.id)
    return (await connection.execute(page.of(statement))).all()


async def grant_by_id(connection: AsyncConnection, grant_id: UUID, scope: Ownership) -> AnyRow | None:
    statement = select(access_grant).where(access_grant.c.id == grant_id, _manageable(scope))
    return (await connection.execute(statement)).one_or_none()


async def insert_grant(connection: AsyncConnection, values: Mapping[str, Any]) -> AnyRow:
    """Add a grant; if the same one is in force already, that one is returned with its own id."""
    statement = insert(access_grant).values(**values)
    # Nothing changes in the row that is there, but it is locked and returned.
    statement = statement.on_conflict_do_update(
        index_elements=["resource_type", "resource_id", "subject_type", "subject_id"],
        index_where=access_grant.c.revoked_at.is_(None),
        set_={"revoked_at": None},
    )
    row: AnyRow = (await connection.execute(statement.returning(access_grant))).one()
    return row


async def revoke_grant(connection: AsyncConnection, grant_id: UUID) -> AnyRow | None:
    """End a grant; None if it has ended before."""
    statement = (
        update(access_grant)
        .where(access_grant.c.id == grant_id, access_grant.c.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .returning(access_grant)
    )
    row: AnyRow | None = (await connection.execute(statement)).one_or_none()
    return row


async def grants_in_run(
    connection: AsyncConnection,
    run_id: UUID,
    subjects: Sequence[tuple[SubjectType, str]],
    share_token_hash: bytes | None,
) -> Sequence[AnyRow]:
    """The grants on a run or on parts of it that reach one of ``subjects``, or the valid share token of this hash."""
    valid_token = exists().where(
        cast(share_token.c.id, String) == access_grant.c.subject_id,
        share_token.c.secret_hash == share_token_hash,
        share_token.c.revoked_at.is_(None),
        or_(share_token.c.expires_at.is_(None), share_token.c.expires_at > func.now()),
    )
    by_token = and_(access_grant.c.subject_type == SubjectType.SHARE_TOKEN, valid_token)
    statement = select(access_grant).where(
        access_grant.c.run_id == run_id,
        access_grant.c.revoked_at.is_(None),
        or_(_is_for(subjects), by_token) if share_token_hash is not None else _is_for(subjects),
    )
    return (await connection.execute(statement)).all()


async def grant_on_token(
    connection: AsyncConnection, token_id: UUID, subjects: Sequence[tuple[SubjectType, str]]
) -> AnyRow | None:
    """A grant that lets one of ``subjects`` see a share token."""
    statement = (
        select(access_grant)
        .where(
            access_grant.c.resource_type == ResourceType.SHARE_TOKEN,
            access_grant.c.resource_id == token_id,
            access_grant.c.revoked_at.is_(None),
            _is_for(subjects),
        )
        .limit(1)
    )
    return (await connection.execute(statement)).one_or_none()


def _is_for(subjects: Sequence[tuple[SubjectType, str]]) -> ColumnElement[bool]:
    return tuple_(access_grant.c.subject_type, access_grant.c.subject_id).in_(subjects)


async def place_of(connection: AsyncConnection, kind: ResourceType, resource_id: UUID) -> Place | None:
    """The run that an item or output artifact belongs to, whoever may read it; None if there is no such thing."""
    if kind is ResourceType.ITEM:
        statement = select(item.c.run_id, item.c.id.label("item_id")).where(item.c.id == resource_id)
    else:
        statement = select(output_artifact.c.run_id, output_artifact.c.item_id).where(
            output_artifact.c.id == resource_id
        )
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        return None
    return Place(row.run_id, row.item_id, resource_id if kind is ResourceType.OUTPUT_ARTIFACT else None)


async def has_user(connection: AsyncConnection, user_id: str) -> bool:
    """Whether somebody who is not disabled has this id."""
    statement = select(user_account.c.id).where(user_account.c.id == user_id, user_account.c.disabled_at.is_(None))
    return (await connection.execute(statement)).one_or_none() is not None


async def has_organization(connection: AsyncConnection, organization_id: str) -> bool:
    statement = select(organization.c.id).where(organization.c.id == organization_id)
    return (await connection.execute(statement)).one_or_none() is not None


async def member_by_email(connection: AsyncConnection, organization_id: str, email: str) -> str | None:
    """The id of the one member of an organization with this e-mail address; None if there is none, or more."""
    statement = (
        select(user_account.c.id)
        .join(membership, membership.c.user_id == user_account.c.id)
        .where(
            membership.c.organization_id == organization_id,
            func.lower(user_account.c.email) == func.lower(email),
            user_account.c.disabled_at.is_(None),
        )
        .limit(2)
    )
    found = (await connection.execute(statement)).scalars().all()
    return found[0] if len(found) == 1 else None
