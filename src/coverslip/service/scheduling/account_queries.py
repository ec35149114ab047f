"""SQL of the accounts of organizations: see `accounting`."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.service.database.rows import AnyRow
from coverslip.service.runs.tables import run
from coverslip.service.scheduling.order_rules import NEVER_SERVED, Caps
from coverslip.service.scheduling.tables import attempt, organization_queue, version_duration

_LATEST_COUNTS = 0.1
"""Weight of the latest attempt in the mean duration of a version."""

_NOW_S: ColumnElement[float] = func.date_part("epoch", func.now())


@dataclass(frozen=True)
class Account:
    """Where an organization stands between the others, at ``at_s``.

    ``frontier`` and ``least_waiting`` are as in `order_rules.level_on_arrival`.
    """

    level: float
    last_start: float
    processing: int
    waiting: int
    caps: Caps
    frontier: float
    least_waiting: float | None
    at_s: float


async def open_account(connection: AsyncConnection, organization_id: str) -> None:
    """Give an organization its place between the others, if it has none yet."""
    statement = upsert(organization_queue).values(organization_id=organization_id).on_conflict_do_nothing()
    await connection.execute(statement)


async def move_items(connection: AsyncConnection, organization_id: str, *, waiting: int, processing: int) -> Account:
    """Add to the counts of an organization's items; the lock on its row is the last that a transaction takes."""
    moved = (
        update(organization_queue)
        .where(organization_queue.c.organization_id == organization_id)
        .values(waiting=organization_queue.c.waiting + waiting, processing=organization_queue.c.processing + processing)
        .returning(organization_queue)
        .cte("moved")
    )
    others = func.levels_of_others(organization_id).table_valued("frontier", "least_waiting").alias("others")
    statement = select(moved, others, _NOW_S.label("at_s")).select_from(moved.join(others, literal(True)))
    row = (await connection.execute(statement)).one()
    return Account(
        row.level,
        row.last_start,
        row.processing,
        row.waiting,
        Caps(row.max_items, row.max_items_per_user, row.max_items_per_run),
        NEVER_SERVED if row.frontier is None else row.frontier,
        row.least_waiting,
        row.at_s,
    )


async def save_level(connection: AsyncConnection, organization_id: str, *, level: float, last_start: float) -> None:
    await connection.execute(
        update(organization_queue)
        .where(organization_queue.c.organization_id == organization_id)
        .values(level=level, last_start=last_start)
    )


async def processing_of_user(connection: AsyncConnection, organization_id: str, user_id: str) -> int:
    """How many items of a user's runs for an organization are in processing."""
    statement = select(func.coalesce(func.sum(run.c.item_processing_count), 0)).where(
        run.c.organization_id == organization_id, run.c.submitted_by == user_id, run.c.item_processing_count > 0
    )
    return int((await connection.execute(statement)).scalar_one())


async def attempts_ended_now(connection: AsyncConnection, run_id: UUID) -> Sequence[AnyRow]:
    """The attempts at items of a locked run that this transaction has ended, with their version."""
    started_s, ended_s = (func.date_part("epoch", time) for time in (attempt.c.started_at, attempt.c.ended_at))
    statement = (
        select(
            attempt.c.charged_s,
            attempt.c.weight,
            attempt.c.outcome,
            started_s.label("started_s"),
            (ended_s - started_s).label("took_s"),
            run.c.application_id,
            run.c.version_number,
        )
        .join(run, run.c.id == attempt.c.run_id)
        # The time of a transaction is its own: no other one that held this run began in the same microsecond.
        .where(attempt.c.run_id == run_id, attempt.c.ended_at == func.now())
    )
    return (await connection.execute(statement)).all()


async def learn_duration(connection: AsyncConnection, version: tuple[str, str], took_s: float) -> None:
    """Let the mean duration of a version follow; another transaction that does so now is not waited for."""
    application_id, number = version
    is_version = and_(version_duration.c.application_id == application_id, version_duration.c.number == number)
    free = select(version_duration.c.number).where(is_version).with_for_update(skip_locked=True).scalar_subquery()
    mean_s = version_duration.c.mean_s
    followed = (
        update(version_duration)
        .where(is_version, version_duration.c.number == free)
        .values(mean_s=mean_s + _LATEST_COUNTS * (took_s - mean_s))
    )
    if (await connection.execute(followed)).rowcount == 0:
        new = upsert(version_duration).values(application_id=application_id, number=number, mean_s=took_s)
        await connection.execute(new.on_conflict_do_nothing())
