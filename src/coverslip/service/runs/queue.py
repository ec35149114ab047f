"""Where a run stands in the queue."""

from coverslip.service.context import Context
from coverslip.service.database.rows import AnyRow
from coverslip.service.database.scope import PlatformScope
from coverslip.service.runs import queries


async def items_before(context: Context, run: AnyRow) -> tuple[int, int]:
    """How many waiting items of other runs come before those of ``run``: in its organization, and in all."""
    # Counted over every organization, so with the platform's scope; only the two numbers leave it.
    async with context.database.transaction(PlatformScope()) as connection:
        return await queries.items_before(connection, run)
