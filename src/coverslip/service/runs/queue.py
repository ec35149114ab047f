"""Where a run stands in the queue."""

from collections.abc import Sequence

from coverslip.service.context import Context
from coverslip.service.database.rows import AnyRow
from coverslip.service.database.scope import PlatformScope
from coverslip.service.scheduling.position_queries import items_before
from coverslip.service.scheduling.position_rules import Place


async def place_in_queue(context: Context, run: AnyRow, ranks: Sequence[int] = (1,)) -> Place:
    """Where the waiting items of a run stand that have these ``ranks`` (from 1) among them."""
    # Of a run that is shared, the reader sees the number of items before it, though not the runs they are of.
    async with context.database.transaction(PlatformScope()) as connection:
        before = await items_before(connection, run)
    queue = await context.queue.queue()
    others = queue.before(run.organization_id, [before + rank - 1 for rank in ranks])
    return Place(before, dict(zip(ranks, others, strict=True)))
