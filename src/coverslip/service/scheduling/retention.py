"""What is deleted because nobody has needed it for long: results, and uploaded slides."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from coverslip.service.context import Context
from coverslip.service.database.scope import PlatformScope
from coverslip.service.runs import queries as runs
from coverslip.service.storage import queries as objects

# So many a round, so that no round keeps the next one waiting for long.
_RUNS = 20
_OBJECTS = 100


async def runs_to_clear(context: Context) -> Sequence[UUID]:
    """Runs whose results have been kept for long enough, at most a round's worth."""
    days = context.settings.result_retention_days
    if not days:
        return []
    async with context.database.transaction(PlatformScope()) as connection:
        return await runs.runs_past_retention(connection, timedelta(days=days), limit=_RUNS)


async def objects_to_check(context: Context) -> Sequence[str]:
    """Paths of uploaded slides that may have been kept for long enough, at most a round's worth."""
    days = context.settings.bucket_retention_days
    if not days:
        return []
    async with context.database.transaction(PlatformScope()) as connection:
        return await objects.idle_objects(connection, timedelta(days=days), limit=_OBJECTS)
