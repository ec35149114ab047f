"""What nobody asks for but must happen: lost workers are given up, deadlines enforced."""

import asyncio
import logging

from coverslip.service.context import Context
from coverslip.service.database.scope import PlatformScope
from coverslip.service.runs.commands import cancel_overdue_run
from coverslip.service.runs.queries import runs_past_deadline
from coverslip.service.scheduling.commands import expire_lease
from coverslip.service.scheduling.lease_queries import expired_leases, is_only_sweeper

log = logging.getLogger(__name__)


async def sweep(context: Context) -> None:
    """One round. Safe in several processes at once: each step locks its run and looks again."""
    async with context.database.transaction(PlatformScope()) as connection:
        lost = await expired_leases(connection)
        overdue = await runs_past_deadline(connection)
    for lease in lost:
        await expire_lease(context, lease)
    for run_id in overdue:
        await cancel_overdue_run(context, run_id)


async def sweep_for_ever(context: Context) -> None:
    """Sweep every few seconds, in one service process at a time."""
    while True:
        try:
            async with context.database.transaction(PlatformScope()) as connection:
                if await is_only_sweeper(connection):
                    await sweep(context)
        except Exception:
            log.warning("a sweep failed; the next one tries again", exc_info=True)
        await asyncio.sleep(context.settings.sweep_s)
