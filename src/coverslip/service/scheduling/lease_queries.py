"""SQL about workers, leases and attempts. Time is always the database's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import case, delete, func, insert, null, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.attempts import AttemptOutcome, ExitCause, StageDuration
from coverslip.service.access.queries import item_in
from coverslip.service.access.sharing_rules import RunParts
from coverslip.service.attempts.rules import exit_cause
from coverslip.service.database.rows import AnyRow
from coverslip.service.items.tables import item
from coverslip.service.scheduling.tables import attempt, lease, worker


class Sweeping(IntEnum):
    """What only one service process does at a time; any numbers will do that are the same in all of them."""

    ENDING = 0x636F7665
    CLEARING = 0x636F7666


@dataclass(frozen=True)
class AttemptEnd:
    """How an attempt ended, as far as its worker told."""

    outcome: AttemptOutcome
    error_code: str | None = None
    error_message: str | None = None
    stage: str | None = None
    log: str = ""
    peak_memory_mb: int | None = None
    stages: Sequence[StageDuration] = ()
    told_cause: ExitCause | None = None
    ended_by: str | None = None

    @property
    def exit_cause(self) -> ExitCause:
        return exit_cause(self.outcome, self.told_cause)


async def register_worker(connection: AsyncConnection, *, name: str, token_hash: bytes) -> None:
    """Let whoever has the token work for this platform."""
    await connection.execute(
        upsert(worker).values(id=uuid4(), name=name, token_hash=token_hash).on_conflict_do_nothing()
    )


async def worker_by_token(connection: AsyncConnection, token_hash: bytes) -> UUID | None:
    statement = select(worker.c.id).where(worker.c.token_hash == token_hash, worker.c.disabled_at.is_(None))
    return (await connection.execute(statement)).scalar_one_or_none()


async def insert_lease(
    connection: AsyncConnection,
    *,
    item_id: UUID,
    run_id: UUID,
    organization_id: str,
    worker_id: UUID,
    worker_name: str,
    number: int,
    token_hash: bytes,
    duration: timedelta,
    charged_s: float,
    weight: float,
) -> datetime:
    """Begin an attempt and lease its item; returns when the lease expires."""
    common = {"item_id": item_id, "run_id": run_id, "organization_id": organization_id, "worker_id": worker_id}
    charge = {"charged_s": charged_s, "weight": weight}
    await connection.execute(insert(attempt).values(**common, **charge, number=number, worker_name=worker_name))
    statement = (
        insert(lease)
        .values(**common, attempt=number, token_hash=token_hash, expires_at=func.now() + duration)
        .returning(lease.c.expires_at)
    )
    expires_at: datetime = (await connection.execute(statement)).scalar_one()
    return expires_at


async def valid_lease(
    connection: AsyncConnection, *, worker_id: UUID, item_id: UUID, token_hash: bytes, lock: bool = False
) -> AnyRow | None:
    """The lease of an item with its external id, if it is this worker's, this token's, and has not expired."""
    statement = (
        select(lease, item.c.external_id)
        .join(item, item.c.id == lease.c.item_id)
        .where(
            lease.c.item_id == item_id,
            lease.c.worker_id == worker_id,
            lease.c.token_hash == token_hash,
            lease.c.expires_at > func.clock_timestamp(),
        )
    )
    if lock:
        statement = statement.with_for_update(of=lease)
    return (await connection.execute(statement)).one_or_none()


async def extend_lease(connection: AsyncConnection, item_id: UUID, duration: timedelta) -> datetime:
    statement = (
        update(lease)
        .where(lease.c.item_id == item_id)
        .values(expires_at=func.now() + duration)
        .returning(lease.c.expires_at)
    )
    expires_at: datetime = (await connection.execute(statement)).scalar_one()
    return expires_at


async def record_progress(
    connection: AsyncConnection,
    *,
    item_id: UUID,
    number: int,
    stage: str,
    fraction: float,
    stages: Sequence[StageDuration],
) -> None:
    await connection.execute(
        update(attempt)
        .where(attempt.c.item_id == item_id, attempt.c.number == number)
        .values(stage=stage, fraction=fraction, **_columns_of(stages))
    )


def _columns_of(stages: Sequence[StageDuration]) -> dict[str, Any]:
    """A worker that tells no stages leaves those that are known."""
    return {"stages": [stage.model_dump() for stage in stages]} if stages else {}


async def end_lease(
    connection: AsyncConnection, *, item_id: UUID, number: int, end: AttemptEnd, late_uploads_until: timedelta
) -> None:
    """Close an attempt and give up its lease.

    What it has left is deleted at once; of one that succeeded that is little, and waits until no upload can arrive.
    """
    succeeded = end.outcome is AttemptOutcome.SUCCEEDED
    await connection.execute(delete(lease).where(lease.c.item_id == item_id, lease.c.attempt == number))
    values: dict[str, Any] = {
        "ended_at": func.now(),
        "outcome": end.outcome,
        "exit_cause": end.exit_cause,
        "ended_by": end.ended_by,
        "sweep_due_at": func.now() + late_uploads_until if succeeded else func.now(),
        "error_code": end.error_code,
        "error_message": end.error_message,
        "log": end.log,
        "peak_memory_mb": end.peak_memory_mb,
        **_columns_of(end.stages),
    }
    if end.stage is not None:
        values["stage"] = end.stage
    await connection.execute(
        update(attempt).where(attempt.c.item_id == item_id, attempt.c.number == number).values(**values)
    )


async def revoke_leases_of_run(connection: AsyncConnection, run_id: UUID) -> None:
    """Take every lease of a run away from its worker."""
    revoked = (
        await connection.execute(
            delete(lease).where(lease.c.run_id == run_id).returning(lease.c.item_id, lease.c.attempt)
        )
    ).all()
    for row in revoked:
        await connection.execute(
            update(attempt)
            .where(attempt.c.item_id == row.item_id, attempt.c.number == row.attempt)
            .values(
                ended_at=func.now(),
                outcome=AttemptOutcome.CANCELED,
                exit_cause=ExitCause.CANCELED,
                sweep_due_at=func.now(),
            )
        )


async def expired_leases(connection: AsyncConnection) -> Sequence[AnyRow]:
    """Leases whose worker has not been heard of in time."""
    statement = (
        select(lease.c.item_id, lease.c.run_id, lease.c.attempt, attempt.c.worker_name, attempt.c.stage)
        .join(attempt, (attempt.c.item_id == lease.c.item_id) & (attempt.c.number == lease.c.attempt))
        .where(lease.c.expires_at <= func.now())
        .limit(100)
    )
    return (await connection.execute(statement)).all()


async def lease_attempt(connection: AsyncConnection, item_id: UUID) -> int | None:
    """The attempt that holds an expired lease of the item; the caller has locked the run."""
    statement = select(lease.c.attempt).where(lease.c.item_id == item_id, lease.c.expires_at <= func.now())
    return (await connection.execute(statement)).scalar_one_or_none()


async def attempts_to_sweep(connection: AsyncConnection) -> Sequence[AnyRow]:
    """Attempts that have ended and may have left uploads that no artifact owns."""
    statement = (
        select(attempt.c.organization_id, attempt.c.run_id, attempt.c.item_id, attempt.c.number)
        .where(attempt.c.sweep_due_at <= func.now())
        .order_by(attempt.c.sweep_due_at)
        .limit(100)
    )
    return (await connection.execute(statement)).all()


async def mark_swept(connection: AsyncConnection, item_id: UUID, number: int, *, late_uploads_until: timedelta) -> None:
    """Note that an attempt's leftovers were deleted: once more later, if uploads may still arrive so long after it."""
    last = attempt.c.ended_at + late_uploads_until
    await connection.execute(
        update(attempt)
        .where(attempt.c.item_id == item_id, attempt.c.number == number)
        .values(sweep_due_at=case((last > func.now(), last), else_=null()))
    )


async def sweep_again(connection: AsyncConnection, run_id: UUID) -> None:
    """Have the attempts of a run swept once more."""
    await connection.execute(update(attempt).where(attempt.c.run_id == run_id).values(sweep_due_at=func.now()))


async def progress_of_run(connection: AsyncConnection, parts: RunParts) -> Sequence[AnyRow]:
    """Stage and fraction of every item among ``parts`` of a run that is being processed."""
    statement = (
        select(lease.c.item_id, item.c.external_id, attempt.c.number, attempt.c.stage, attempt.c.fraction)
        .join(item, item.c.id == lease.c.item_id)
        .join(attempt, (attempt.c.item_id == lease.c.item_id) & (attempt.c.number == lease.c.attempt))
        .where(item_in(parts))
        .order_by(item.c.position)
    )
    return (await connection.execute(statement)).all()


async def is_only_sweeper(connection: AsyncConnection, what: Sweeping) -> bool:
    """Whether no other transaction does this sweeping now; none will until this one ends."""
    return bool((await connection.execute(select(func.pg_try_advisory_xact_lock(what)))).scalar_one())
