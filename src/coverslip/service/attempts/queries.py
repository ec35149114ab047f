"""SQL about attempts, for those who ask why an item ended as it did."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import extract, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.service.access.queries import item_in
from coverslip.service.access.sharing_rules import RunParts
from coverslip.service.database.rows import AnyRow
from coverslip.service.items.tables import item
from coverslip.service.scheduling.tables import attempt


async def has_item(connection: AsyncConnection, parts: RunParts, item_id: UUID) -> bool:
    """Whether an item is among ``parts`` of a run."""
    statement = select(item.c.id).where(item_in(parts), item.c.id == item_id)
    return (await connection.execute(statement)).first() is not None


async def attempts_at(connection: AsyncConnection, parts: RunParts, item_id: UUID) -> Sequence[AnyRow]:
    """Every attempt at an item among ``parts`` of a run, with its ``duration_s``, in order."""
    duration_s = extract("epoch", func.coalesce(attempt.c.ended_at, func.now()) - attempt.c.started_at)
    statement = (
        select(attempt, duration_s.label("duration_s"))
        .join(item, item.c.id == attempt.c.item_id)
        .where(item_in(parts), attempt.c.item_id == item_id)
        .order_by(attempt.c.number)
    )
    return (await connection.execute(statement)).all()
