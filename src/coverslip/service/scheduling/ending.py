"""How an attempt ends, by its worker's report or because the worker is lost, and what follows for the item."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.artifacts import ArtifactTerminationReason
from coverslip.contract.attempts import AttemptOutcome, ExitCause
from coverslip.contract.items import ItemTerminationReason
from coverslip.contract.runs import RunTerminationReason
from coverslip.contract.worker import ReportRequest
from coverslip.service.access.rules import AllRuns
from coverslip.service.artifacts import queries as artifacts
from coverslip.service.context import Context
from coverslip.service.database.notifications import WORK, notify
from coverslip.service.database.rows import AnyRow
from coverslip.service.database.scope import PlatformScope
from coverslip.service.events.queries import NewEvent
from coverslip.service.items import queries as items
from coverslip.service.items.rules import ItemStatus
from coverslip.service.lifecycle import State
from coverslip.service.quotas.usage import record_success
from coverslip.service.reuse import queries as reuse
from coverslip.service.runs import queries as runs
from coverslip.service.runs.commands import end_early
from coverslip.service.runs.rules import ErrorThreshold, RunStatus
from coverslip.service.scheduling import lease_queries as leases
from coverslip.service.scheduling.holding import require_lease
from coverslip.service.scheduling.rules import LATE_UPLOADS_UNTIL, GiveUp, after_failure


async def report(context: Context, worker_id: UUID, item_id: UUID, token: str, request: ReportRequest) -> None:
    """Take in how an attempt ended, and move its item.

    Raises
    ------
    LeaseLost
    """
    async with context.database.transaction(PlatformScope()) as connection:
        lease = await require_lease(connection, worker_id, item_id, token)
        locked = await runs.lock_run(connection, lease.run_id, AllRuns())
        # Only now nobody else can end this attempt.
        lease = await require_lease(connection, worker_id, item_id, token, lock=True)
        end = leases.AttemptEnd(
            outcome=request.outcome,
            error_code=request.error_code,
            error_message=request.error_message,
            stage=request.stage or None,
            log=request.log,
            peak_memory_mb=request.peak_memory_mb,
            stages=request.stages,
            told_cause=request.exit_cause,
            ended_by=request.ended_by,
        )
        if request.outcome is AttemptOutcome.SUCCEEDED:
            missing = [
                row.name for row in await artifacts.outputs_of(connection, [item_id]) if row.state != State.TERMINATED
            ]
            if missing:
                end = replace(
                    end,
                    outcome=AttemptOutcome.SYSTEM_ERROR,
                    error_code="APPLICATION.OUTPUT_MISSING",
                    error_message=(
                        f"The application ended without writing {', '.join(missing)}. Its author has to correct it."
                    ),
                    told_cause=ExitCause.APPLICATION_ERROR,
                )
        assert locked is not None
        await _end_attempt(context, connection, locked, item_id, lease.attempt, end)
    _count(context, locked, end)


async def expire_lease(context: Context, expired: AnyRow) -> None:
    """Give up on a worker that has not been heard of, unless somebody else has done so meanwhile."""
    async with context.database.transaction(PlatformScope()) as connection:
        locked = await runs.lock_run(connection, expired.run_id, AllRuns())
        if locked is None or await leases.lease_attempt(connection, expired.item_id) != expired.attempt:
            return
        message = (
            f"The worker '{expired.worker_name}' was lost while {expired.stage or 'starting'}: it stopped sending "
            "heartbeats. Its log says whether it was killed or lost its network."
        )
        end = leases.AttemptEnd(AttemptOutcome.LEASE_LOST, "WORKER.LOST", message)
        await _end_attempt(context, connection, locked, expired.item_id, expired.attempt, end)
    _count(context, locked, end)


def _count(context: Context, locked: runs.LockedRun, end: leases.AttemptEnd) -> None:
    context.metrics.attempts.labels(
        locked.application_id, locked.version_number, end.outcome, end.error_code or ""
    ).inc()
    for stage in end.stages:
        context.metrics.stage_ended(locked.application_id, stage.stage, stage.duration_s)


async def _end_attempt(
    context: Context,
    connection: AsyncConnection,
    locked: runs.LockedRun,
    item_id: UUID,
    attempt: int,
    end: leases.AttemptEnd,
) -> None:
    row = await items.item_by_id(connection, item_id)
    assert row is not None
    before = items.status_of(row)
    delay = timedelta(0)
    if end.outcome is AttemptOutcome.SUCCEEDED:
        after = before.terminated(ItemTerminationReason.SUCCEEDED)
    elif end.outcome is AttemptOutcome.USER_ERROR:
        after = before.terminated(ItemTerminationReason.USER_ERROR, end.error_code, end.error_message)
    else:
        settings = context.settings
        next_step = after_failure(attempt, max_attempts=settings.max_attempts, backoff_s=settings.retry_backoff_s)
        if isinstance(next_step, GiveUp):
            after = before.terminated(ItemTerminationReason.SYSTEM_ERROR, end.error_code, end.error_message)
        else:
            after, delay = before.requeued(), next_step.delay
    await leases.end_lease(connection, item_id=item_id, number=attempt, end=end, late_uploads_until=LATE_UPLOADS_UNTIL)
    await items.save_item(connection, item_id, after, delay=delay)
    if after.state is State.TERMINATED:
        assert after.termination_reason is not None
        reason = ArtifactTerminationReason(after.termination_reason)
        if reason is ArtifactTerminationReason.SUCCEEDED:
            is_reused = await reuse.result_from(connection, item_id) is not None
            await record_success(connection, locked.id, item_id, is_reused=is_reused)
        else:
            await artifacts.give_up_unfinished(connection, [item_id], reason, after.error_code, after.error_message)
    else:
        await artifacts.requeue_unfinished(connection, item_id)
        await notify(connection, WORK)
    status = locked.status.item_moved(before, after)
    has_failed = status.statistics.failed > locked.status.statistics.failed
    if has_failed and (stopped := _stopped_by_errors(context, status)) is not None:
        await end_early(connection, locked, stopped, [_item_event(item_id, attempt, after, end)])
    else:
        await runs.save_run(connection, locked, status, _events(item_id, attempt, after, locked, status, end))


def _stopped_by_errors(context: Context, status: RunStatus) -> RunStatus | None:
    """The run ended because too many of its items have failed; None as long as it goes on, or if it is over anyway."""
    settings = context.settings
    threshold = ErrorThreshold(settings.error_threshold_items, settings.error_threshold_share)
    if status.state is State.TERMINATED or not threshold.is_reached(status.statistics):
        return None
    failed, total = status.statistics.failed, status.statistics.total
    return status.cancelled(
        RunTerminationReason.CANCELED_BY_SYSTEM,
        "SCHEDULER.ITEMS_WITH_ERROR_THRESHOLD_REACHED",
        f"{failed} of {total} items failed, so the rest was not tried. The error of each failed item says what is "
        "wrong: correct that, then submit the failed and the skipped ones again. Finished items stay available.",
    )


def _events(
    item_id: UUID,
    attempt: int,
    after: ItemStatus,
    locked: runs.LockedRun,
    status: RunStatus,
    end: leases.AttemptEnd,
) -> list[NewEvent]:
    events = [_item_event(item_id, attempt, after, end)]
    if status.state is not locked.status.state:
        payload = {"termination_reason": status.termination_reason} if status.termination_reason else {}
        events.append(NewEvent(f"run.{status.state.lower()}", payload=payload))
    return events


def _item_event(item_id: UUID, attempt: int, after: ItemStatus, end: leases.AttemptEnd) -> NewEvent:
    if after.state is State.TERMINATED:
        payload = {"termination_reason": after.termination_reason, "error_code": after.error_code}
        return NewEvent("item.terminated", item_id, payload)
    return NewEvent("item.requeued", item_id, {"attempt": attempt, "error_code": end.error_code})
