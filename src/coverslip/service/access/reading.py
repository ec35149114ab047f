"""What the caller of a request may read of a run: the one place that says so."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.access import ResourceType
from coverslip.service.access import grant_queries
from coverslip.service.access.principal import Principal
from coverslip.service.access.rules import SharedRun, readable_runs
from coverslip.service.access.sharing_rules import RunParts, opened_by, subjects_of
from coverslip.service.context import Context, ContextDep
from coverslip.service.database.rows import AnyRow
from coverslip.service.database.scope import OrganizationScope, Scope
from coverslip.service.identity.authentication import PrincipalDep
from coverslip.service.identity.secrets import hash_secret
from coverslip.service.runs import queries as runs
from coverslip.service.runs.errors import RunNotFound

ShareToken = Annotated[
    str | None, Query(description="Secret of a share token, to read what it was granted besides what you may read")
]


@dataclass(frozen=True)
class Reading:
    """A run of which the caller may read something.

    Attributes
    ----------
    run
        Its row, which is only for those to see who may read the whole run.
    parts
        What may be read of it.
    scope
        Of the transactions that read it.
    """

    run: AnyRow
    parts: RunParts
    scope: Scope


async def find_reading(context: Context, principal: Principal, run_id: UUID, share_token: str | None = None) -> Reading:
    """What ``principal`` may read of a run: all of their own; of others', what grants open to them or to the token.

    Raises
    ------
    RunNotFound
        If that is nothing.
    """
    token_hash = hash_secret(share_token) if share_token else None
    async with context.database.transaction(principal.scope_with(token_hash or b"")) as connection:
        run = await runs.run_by_id(connection, run_id, readable_runs(principal))
        if run is not None:
            return Reading(run, RunParts(run_id), principal.scope)
        grants = await grant_queries.grants_in_run(connection, run_id, subjects_of(principal), token_hash)
    for grant in grants[:1]:
        # Within the walls of the organization that shares it, for this one run.
        scope = OrganizationScope(grant.organization_id)
        async with context.database.transaction(scope) as connection:
            run = await runs.run_by_id(connection, run_id, SharedRun(grant.organization_id, run_id))
        if run is not None:
            return Reading(run, _opened_by(run_id, grants), scope)
    raise RunNotFound


async def shared_parts(connection: AsyncConnection, principal: Principal, run_id: UUID) -> RunParts:
    """What grants to ``principal`` open of a run; they need not open anything."""
    return _opened_by(run_id, await grant_queries.grants_in_run(connection, run_id, subjects_of(principal), None))


def _opened_by(run_id: UUID, grants: Sequence[AnyRow]) -> RunParts:
    return opened_by(run_id, ((ResourceType(grant.resource_type), grant.resource_id) for grant in grants))


async def current_reading(
    run_id: UUID, context: ContextDep, principal: PrincipalDep, share_token: ShareToken = None
) -> Reading:
    """What the caller may read of the run in the path."""
    return await find_reading(context, principal, run_id, share_token)


ReadingDep = Annotated[Reading, Depends(current_reading)]
