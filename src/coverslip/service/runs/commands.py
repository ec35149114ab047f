"""Creating, cancelling and tidying up runs: each one transaction."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.artifacts import ArtifactOutput, ArtifactTerminationReason
from coverslip.contract.fields import JsonObject
from coverslip.contract.runs import RunTerminationReason
from coverslip.service.access.principal import Principal
from coverslip.service.access.reading import shared_parts
from coverslip.service.access.rules import AllRuns, may_change_run, readable_runs
from coverslip.service.artifacts import queries as artifacts
from coverslip.service.artifacts.errors import ResultsDeleted
from coverslip.service.audit import queries as audit
from coverslip.service.context import Context
from coverslip.service.database.scope import PlatformScope
from coverslip.service.errors import Forbidden
from coverslip.service.events.queries import NewEvent
from coverslip.service.items import queries as items
from coverslip.service.items.errors import ItemNotFound
from coverslip.service.lifecycle import State
from coverslip.service.runs import queries
from coverslip.service.runs.checksum import metadata_checksum
from coverslip.service.runs.entity_tags import meets
from coverslip.service.runs.errors import (
    MetadataChanged,
    RunNotFound,
    RunNotTerminated,
    RunTerminated,
)
from coverslip.service.runs.rules import RunStatus
from coverslip.service.scheduling import lease_queries as leases
from coverslip.service.storage.store import Area, ObjectKey


async def lock_changeable_run(
    connection: AsyncConnection, principal: Principal, run_id: UUID, action: str, *, within: bool = False
) -> queries.LockedRun:
    """Lock a run that ``principal`` may change; ``within`` it, if the change is to an item.

    Raises
    ------
    RunNotFound
        If they may not even see it.
    Forbidden
        If they may only see it.
    """
    locked = await queries.lock_run(connection, run_id, readable_runs(principal))
    if locked is None:
        shared = await shared_parts(connection, principal, run_id)
        if not (shared.whole or (within and shared.has_items)):
            raise RunNotFound
    elif may_change_run(principal, organization_id=locked.organization_id, submitted_by=locked.submitted_by):
        return locked
    raise Forbidden(needed=f"being its submitter or an administrator to {action} a run")


async def cancel_run(context: Context, principal: Principal, run_id: UUID) -> None:
    """Cancel a run for a user: at once, whatever its workers do.

    Raises
    ------
    RunNotFound, Forbidden, RunTerminated
    """
    async with context.database.transaction(principal.scope) as connection:
        locked = await lock_changeable_run(connection, principal, run_id, "cancel")
        if locked.status.state is State.TERMINATED:
            raise RunTerminated(reason=locked.status.termination_reason)
        await end_early(connection, locked, locked.status.cancelled(RunTerminationReason.CANCELED_BY_USER))
        await audit.record(
            connection,
            "run.cancelled",
            subject=str(run_id),
            user_id=principal.user_id,
            organization_id=locked.organization_id,
        )


async def cancel_overdue_run(context: Context, run_id: UUID) -> None:
    """Cancel a run whose deadline has passed, unless it has ended meanwhile."""
    async with context.database.transaction(PlatformScope()) as connection:
        locked = await queries.lock_run(connection, run_id, AllRuns())
        if locked is None or locked.status.state is State.TERMINATED:
            return
        status = locked.status.cancelled(
            RunTerminationReason.CANCELED_BY_SYSTEM,
            "SCHEDULER.DEADLINE_EXCEEDED",
            "The deadline passed before every item was processed. Finished items stay available; submit the others "
            "again with a later deadline.",
        )
        await end_early(connection, locked, status)


async def end_early(
    connection: AsyncConnection, locked: queries.LockedRun, status: RunStatus, before: Sequence[NewEvent] = ()
) -> None:
    """Write a ``status`` that ends a run, with the events ``before`` its end, and skip what is unfinished.

    Revoked leases make workers stop at their next heartbeat, and fence off late reports.
    """
    # Locks are taken in one order everywhere: run, items, leases, artifacts.
    skipped = await items.skip_unfinished(connection, locked.id)
    await leases.revoke_leases_of_run(connection, locked.id)
    await artifacts.give_up_unfinished(connection, skipped, ArtifactTerminationReason.SKIPPED)
    payload = {"termination_reason": status.termination_reason, "error_code": status.error_code}
    ended = [NewEvent("item.terminated", item_id, {"termination_reason": "SKIPPED"}) for item_id in skipped]
    await queries.save_run(connection, locked, status, [*before, *ended, NewEvent("run.terminated", payload=payload)])


async def delete_results(context: Context, principal: Principal, run_id: UUID) -> None:
    """Delete the output artifacts of a run that has ended.

    Raises
    ------
    RunNotFound, Forbidden, RunNotTerminated
    ResultsDeleted
        If they had been deleted before.
    """
    async with context.database.transaction(principal.scope) as connection:
        locked = await lock_changeable_run(connection, principal, run_id, "delete the results of")
        if locked.status.state is not State.TERMINATED:
            raise RunNotTerminated
        if locked.results_deleted:
            raise ResultsDeleted
        paths = await _delete_results(connection, locked, ArtifactOutput.DELETED_BY_USER, principal.user_id)
    # Only after the commit: a row that says AVAILABLE must never lack its object. What is missed here is swept later.
    for path in paths:
        await context.store.delete(ObjectKey(Area.RESULTS, path))


async def delete_expired_results(context: Context, run_id: UUID) -> None:
    """Delete the output artifacts of a run that ended as long ago as they are kept, unless they are deleted already.

    Their objects are what is swept next.
    """
    async with context.database.transaction(PlatformScope()) as connection:
        locked = await queries.lock_run(connection, run_id, AllRuns())
        if locked is not None and locked.status.state is State.TERMINATED and not locked.results_deleted:
            await _delete_results(connection, locked, ArtifactOutput.DELETED_BY_SYSTEM, user_id=None)


async def _delete_results(
    connection: AsyncConnection, locked: queries.LockedRun, output: ArtifactOutput, user_id: str | None
) -> Sequence[str]:
    """Mark the artifacts of a run as deleted; returns the paths of their objects, which are swept at the latest."""
    paths = await artifacts.delete_outputs(connection, locked.id, output)
    await queries.mark_results_deleted(connection, locked.id)
    await leases.sweep_again(connection, locked.id)
    deleted = NewEvent("run.results_deleted", payload={"count": len(paths)})
    await queries.save_run(connection, locked, locked.status, [deleted])
    await audit.record(
        connection,
        "run.results_deleted",
        subject=str(locked.id),
        user_id=user_id,
        organization_id=locked.organization_id,
    )
    return paths


async def replace_metadata(
    context: Context,
    principal: Principal,
    run_id: UUID,
    metadata: JsonObject | None,
    expected_checksum: str | None,
    if_match: str | None,
    external_id: str | None = None,
) -> str | None:
    """Replace the custom metadata of a run, or of its item ``external_id``; returns the new checksum.

    Raises
    ------
    RunNotFound, ItemNotFound, Forbidden
    MetadataChanged
        If ``expected_checksum`` or the header ``if_match`` is given and does not fit the present value.
    """
    async with context.database.transaction(principal.scope) as connection:
        await lock_changeable_run(connection, principal, run_id, "change", within=external_id is not None)
        if external_id is None:
            row = await queries.run_by_id(connection, run_id, readable_runs(principal))
        else:
            row = await items.lock_item_metadata(connection, run_id, external_id)
        if row is None:
            raise ItemNotFound
        present = metadata_checksum(row.custom_metadata)
        if expected_checksum is not None and expected_checksum != present:
            raise MetadataChanged
        if if_match is not None and not meets(if_match, present):
            raise MetadataChanged
        replace = queries.replace_metadata if external_id is None else items.replace_metadata
        # PostgreSQL may write a number in another way (1e2 as 100); the checksum is of what is read back.
        stored = await replace(connection, row.id, metadata)
    return metadata_checksum(stored)
