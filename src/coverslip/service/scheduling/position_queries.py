"""SQL that counts what waits, for positions in the queue."""

from collections.abc import Sequence

from sqlalchemy import and_, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.service.database.rows import AnyRow
from coverslip.service.runs.tables import run
from coverslip.service.scheduling.order_rules import NEVER_SERVED
from coverslip.service.scheduling.tables import organization_queue, version_duration


async def waiting_work(connection: AsyncConnection) -> Sequence[AnyRow]:
    """How many items of which version each organization has waiting, with its level and weight."""
    duration = version_duration
    of_version = and_(duration.c.application_id == run.c.application_id, duration.c.number == run.c.version_number)
    statement = (
        select(
            organization_queue.c.organization_id,
            organization_queue.c.level,
            organization_queue.c.weight,
            duration.c.mean_s,
            func.sum(run.c.item_pending_count).label("waiting"),
        )
        .select_from(organization_queue)
        .join(run, run.c.organization_id == organization_queue.c.organization_id)
        .outerjoin(duration, of_version)
        .where(organization_queue.c.waiting > 0, run.c.item_pending_count > 0)
        .group_by(organization_queue.c.organization_id, duration.c.application_id, duration.c.number)
    )
    return (await connection.execute(statement)).all()


async def frontier(connection: AsyncConnection) -> tuple[float, float]:
    """The highest level at which an item has started, and the time."""
    statement = select(func.max(organization_queue.c.last_start), func.date_part("epoch", func.now()))
    level, at_s = (await connection.execute(statement)).one()
    return (NEVER_SERVED if level is None else level), at_s


async def items_before(connection: AsyncConnection, row: AnyRow) -> int:
    """How many waiting items of other runs of its organization come before those of a run."""
    before = tuple_(run.c.due_by, run.c.submitted_at, run.c.id) < tuple_(row.due_by, row.submitted_at, row.id)
    statement = select(func.coalesce(func.sum(run.c.item_pending_count), 0)).where(
        run.c.organization_id == row.organization_id, run.c.item_pending_count > 0, before
    )
    return int((await connection.execute(statement)).scalar_one())
