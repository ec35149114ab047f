"""What nobody asks for but must happen: lost workers are given up, deadlines enforced, leftovers deleted."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from coverslip.service.context import Context
from coverslip.service.database.scope import PlatformScope
from coverslip.service.identity.commands import forget_spent
from coverslip.service.runs.commands import cancel_overdue_run
from coverslip.service.runs.queries import runs_past_deadline
from coverslip.service.scheduling.ending import expire_lease
from coverslip.service.scheduling.lease_queries import attempts_to_sweep, expired_leases, is_only_sweeper
from coverslip.service.scheduling.leftovers import sweep_attempt
from coverslip.service.storage.object_commands import drop_keyless
from coverslip.service.storage.upload_commands import drop_abandoned
from coverslip.service.webhooks.commands import forget_old_deliveries

_TIDY_UP_S = 3600

log = logging.getLogger(__name__)


async def sweep(context: Context) -> None:
    """One round. Safe in several processes at once: each step locks its run and looks again."""
    async with context.database.transaction(PlatformScope()) as connection:
        lost = await expired_leases(connection)
        overdue = await runs_past_deadline(connection)
        unswept = await attempts_to_sweep(connection)
    steps: list[Callable[[], Awaitable[None]]] = [
        *(partial(expire_lease, context, lease) for lease in lost),
        *(partial(cancel_overdue_run, context, run_id) for run_id in overdue),
        *(partial(sweep_attempt, context, attempt) for attempt in unswept),
        partial(drop_abandoned, context),
        partial(forget_old_deliveries, context),
        partial(drop_keyless, context),
    ]
    for step in steps:
        # One that cannot be done must not keep the others waiting.
        try:
            await step()
        except Exception:
            log.warning("a step of the sweep failed; the next sweep tries again", exc_info=True)


async def tidy_up(context: Context) -> None:
    """Forget spent links, codes and sessions; drop what killed services have left half written in the store."""
    await forget_spent(context.database)
    # Nobody writes one object for as long as an upload may rest.
    lifetime = timedelta(seconds=context.settings.upload_lifetime_s)
    await context.store.drop_unfinished(datetime.now(UTC) - lifetime)


async def sweep_for_ever(context: Context) -> None:
    """Sweep every few seconds, and tidy up every hour, in one service process at a time."""
    now = asyncio.get_running_loop().time
    tidy_up_at = now()
    while True:
        try:
            async with context.database.transaction(PlatformScope()) as connection:
                if await is_only_sweeper(connection):
                    await sweep(context)
                    if now() >= tidy_up_at:
                        tidy_up_at = now() + _TIDY_UP_S
                        await tidy_up(context)
        except Exception:
            log.warning("a sweep failed; the next one tries again", exc_info=True)
        await asyncio.sleep(context.settings.sweep_s)
