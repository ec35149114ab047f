"""Deleting what attempts left in the store."""

from coverslip.service.artifacts import queries as artifacts
from coverslip.service.artifacts.rules import attempt_prefix
from coverslip.service.context import Context
from coverslip.service.database.rows import AnyRow
from coverslip.service.database.scope import PlatformScope
from coverslip.service.scheduling import lease_queries as leases
from coverslip.service.scheduling.rules import LATE_UPLOADS_UNTIL
from coverslip.service.storage.store import Area


async def sweep_attempt(context: Context, attempt: AnyRow) -> None:
    """Delete what an attempt that has ended left in the store and no artifact owns."""
    async with context.database.transaction(PlatformScope()) as connection:
        owned = await artifacts.available_paths(connection, attempt.item_id)
    prefix = attempt_prefix(attempt.organization_id, attempt.run_id, attempt.item_id, attempt.number)
    for area in (Area.PARTS, Area.RESULTS):
        async for stat in context.store.list(area, prefix):
            if area is Area.PARTS or stat.key.path not in owned:
                await context.store.delete(stat.key)
    async with context.database.transaction(PlatformScope()) as connection:
        await leases.mark_swept(connection, attempt.item_id, attempt.number, late_uploads_until=LATE_UPLOADS_UNTIL)
