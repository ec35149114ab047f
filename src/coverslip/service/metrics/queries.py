"""SQL about what waits and what is being worked on, over all organizations."""

from typing import Any

from sqlalchemy import func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.service.database.rows import AnyRow
from coverslip.service.items.tables import item
from coverslip.service.lifecycle import State
from coverslip.service.runs.tables import run
from coverslip.service.scheduling.tables import attempt, lease


async def queue(connection: AsyncConnection) -> AnyRow:
    """How much waits and is processed; the age of the oldest item that waits, in seconds."""
    waiting = run.c.item_pending_count > 0
    oldest = (
        select(func.min(item.c.available_at))
        .join(run, run.c.id == item.c.run_id)
        .where(waiting, item.c.state == State.PENDING)
        .scalar_subquery()
    )
    statement = select(
        func.coalesce(func.sum(run.c.item_pending_count), 0).label("items_pending"),
        func.coalesce(func.sum(run.c.item_processing_count), 0).label("items_processing"),
        func.count().filter(run.c.state == State.PENDING).label("runs_pending"),
        func.count().filter(run.c.state == State.PROCESSING).label("runs_processing"),
        func.count(run.c.organization_id.distinct()).filter(waiting).label("organizations"),
        func.coalesce(func.greatest(_seconds_since(oldest), 0), 0).label("oldest_s"),
    ).where(run.c.state != State.TERMINATED)
    return (await connection.execute(statement)).one()


async def leases(connection: AsyncConnection, lease_s: float) -> AnyRow:
    """How many leases there are; the ages, in seconds, of the oldest attempt and of the oldest last heartbeat."""
    heard_of = lease.c.expires_at - func.make_interval(0, 0, 0, 0, 0, 0, literal(lease_s))
    statement = (
        select(
            func.count().label("held"),
            func.coalesce(_seconds_since(func.min(attempt.c.started_at)), 0).label("oldest_s"),
            func.coalesce(func.greatest(_seconds_since(func.min(heard_of)), 0), 0).label("silent_s"),
        )
        .select_from(lease)
        .join(attempt, (attempt.c.item_id == lease.c.item_id) & (attempt.c.number == lease.c.attempt))
    )
    return (await connection.execute(statement)).one()


def _seconds_since(instant: Any) -> Any:
    return func.extract("epoch", func.now() - instant)
