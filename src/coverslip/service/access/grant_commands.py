"""Giving and revoking grants: each one transaction."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.access import GrantCreateRequest, GrantRelation, ResourceType, SubjectType
from coverslip.service.access import grant_queries as queries
from coverslip.service.access import share_token_queries as share_tokens
from coverslip.service.access.errors import (
    GrantNotFound,
    GrantRevoked,
    RelationRefused,
    ResourceNotFound,
    ShareTokenNotFound,
    SubjectNotFound,
    SubjectRefused,
)
from coverslip.service.access.principal import Principal
from coverslip.service.access.reading import find_reading
from coverslip.service.access.rules import may_change_run, readable_runs
from coverslip.service.access.share_token_commands import find_share_token
from coverslip.service.access.sharing_rules import Place, subject_fault
from coverslip.service.audit import queries as audit
from coverslip.service.context import Context
from coverslip.service.database.rows import AnyRow
from coverslip.service.database.scope import PlatformScope
from coverslip.service.errors import Forbidden
from coverslip.service.runs.errors import RunNotFound

_NEEDED = "being its submitter or an administrator to share it"


@dataclass(frozen=True)
class _Resource:
    """Something that the caller may share."""

    organization_id: str
    run_id: UUID | None


async def create_grant(context: Context, principal: Principal, request: GrantCreateRequest) -> AnyRow:
    """Let somebody read something; the same grant asked for again is the one that is in force.

    Raises
    ------
    RelationRefused, SubjectRefused, ResourceNotFound, SubjectNotFound
    Forbidden
        If the caller may only see the resource.
    """
    if request.relation is not GrantRelation.VIEWER:
        raise RelationRefused
    if (fault := subject_fault(request)) is not None:
        raise SubjectRefused(fault=fault)
    if request.resource_type is ResourceType.SHARE_TOKEN:
        resource = await _own_share_token(context, principal, request.resource_id)
    else:
        resource = await _own_part_of_run(context, principal, request.resource_type, request.resource_id)
    async with context.database.transaction(principal.scope) as connection:
        subject_id = await _subject_id(connection, principal, request)
        if subject_id is None:
            raise SubjectNotFound
        grant_id = uuid4()
        grant = await queries.insert_grant(
            connection,
            {
                "id": grant_id,
                "organization_id": resource.organization_id,
                "resource_type": request.resource_type,
                "resource_id": request.resource_id,
                "run_id": resource.run_id,
                "subject_type": request.subject_type,
                "subject_id": subject_id,
                "relation": request.relation,
                "created_by": principal.user_id,
            },
        )
        if grant.id == grant_id:
            await _record(connection, principal, grant, "grant.created")
    return grant


async def _own_share_token(context: Context, principal: Principal, token_id: UUID) -> _Resource:
    try:
        found = await find_share_token(context, principal, token_id)
    except ShareTokenNotFound:
        raise ResourceNotFound from None
    if not found.is_own:
        raise Forbidden(needed=_NEEDED)
    return _Resource(found.row.organization_id, run_id=None)


async def _own_part_of_run(context: Context, principal: Principal, kind: ResourceType, resource_id: UUID) -> _Resource:
    place: Place | None = Place(resource_id)
    if kind is not ResourceType.RUN:
        # Looked up over every organization; nothing of it gets out before it is clear that the caller may read it.
        async with context.database.transaction(PlatformScope()) as connection:
            place = await queries.place_of(connection, kind, resource_id)
    if place is None:
        raise ResourceNotFound
    try:
        reading = await find_reading(context, principal, place.run_id)
    except RunNotFound:
        raise ResourceNotFound from None
    run = reading.run
    if not may_change_run(principal, organization_id=run.organization_id, submitted_by=run.submitted_by):
        raise Forbidden(needed=_NEEDED) if place.lies_in(reading.parts) else ResourceNotFound
    return _Resource(run.organization_id, place.run_id)


async def _subject_id(connection: AsyncConnection, principal: Principal, request: GrantCreateRequest) -> str | None:
    """The id of the subject; None if there is no such subject whom ``principal`` may know of."""
    if request.subject_email is not None:
        # Whether somebody elsewhere has this address is not for everybody to find out.
        return await queries.member_by_email(connection, principal.organization_id, request.subject_email)
    subject_id = request.subject_id or ""
    match request.subject_type:
        case SubjectType.USER:
            return subject_id if await queries.has_user(connection, subject_id) else None
        case SubjectType.ORGANIZATION_ADMIN | SubjectType.ORGANIZATION_USER:
            return subject_id if await queries.has_organization(connection, subject_id) else None
        case SubjectType.SHARE_TOKEN:
            return await _own_valid_token(connection, principal, subject_id)


async def _own_valid_token(connection: AsyncConnection, principal: Principal, subject_id: str) -> str | None:
    try:
        token_id = UUID(subject_id)
    except ValueError:
        return None
    token = await share_tokens.share_token_by_id(connection, token_id, readable_runs(principal), only_valid=True)
    return str(token_id) if token is not None else None


async def find_grant(context: Context, principal: Principal, grant_id: UUID) -> AnyRow:
    """A grant that ``principal`` gave, or one on what they may change.

    Raises
    ------
    GrantNotFound
    """
    async with context.database.transaction(principal.scope) as connection:
        grant = await queries.grant_by_id(connection, grant_id, readable_runs(principal))
    if grant is None:
        raise GrantNotFound
    return grant


async def revoke_grant(context: Context, principal: Principal, grant_id: UUID) -> AnyRow:
    """End a grant; it stays on record.

    Raises
    ------
    GrantNotFound, GrantRevoked
    """
    async with context.database.transaction(principal.scope) as connection:
        if await queries.grant_by_id(connection, grant_id, readable_runs(principal)) is None:
            raise GrantNotFound
        grant = await queries.revoke_grant(connection, grant_id)
        if grant is None:
            raise GrantRevoked
        await _record(connection, principal, grant, "grant.revoked")
    return grant


async def _record(connection: AsyncConnection, principal: Principal, grant: AnyRow, action: str) -> None:
    await audit.record(
        connection,
        action,
        subject=str(grant.id),
        user_id=principal.user_id,
        organization_id=grant.organization_id,
        resource_type=grant.resource_type,
        resource_id=str(grant.resource_id),
        subject_type=grant.subject_type,
        subject_id=grant.subject_id,
    )
