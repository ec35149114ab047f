"""What nobody asks for but must happen: lost workers are given up, deadlines enforced, what is over is deleted."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial

from coverslip.service.context import Context
from coverslip.service.database.scope import PlatformScope
from coverslip.service.identity.commands import forget_spent
from coverslip.service.runs.commands import cancel_overdue_run, delete_expired_results
from coverslip.service.runs.queries import runs_past_deadline
from coverslip.service.scheduling.ending import expire_lease
from coverslip.service.scheduling.lease_queries import Sweeping, attempts_to_sweep, expired_leases, is_only_sweeper
from coverslip.service.scheduling.leftovers import sweep_attempt
from coverslip.service.scheduling.retention import objects_to_check, runs_to_clear
from coverslip.service.storage.object_commands import delete_idle_object, drop_keyless
from coverslip.service.storage.upload_commands import drop_abandoned
from coverslip.service.webhooks.commands import forget_old_deliveries

_TIDY_UP_S = 3600

Step = Callable[[], Awaitable[None]]

log = logging.getLogger(__name__)


async def sweep(context: Context) -> None:
    """One round of everything. Safe in several processes at once: each step locks its run and looks again."""
    await end_overdue(context)
    await clear_away(context)


async def end_overdue(context: Context) -> None:
    """Give up on workers that are not heard of any more, and cancel the runs whose deadline has passed."""
    async with context.database.transaction(PlatformScope()) as connection:
        lost = await expired_leases(connection)
        overdue = await runs_past_deadline(connection)
    await _take([partial(expire_lease, context, lease) for lease in lost])
    await _take([partial(cancel_overdue_run, context, run_id) for run_id in overdue])


async def clear_away(context: Context) -> None:
    """Delete what has been kept for long enough, and what attempts and uploads have left in the store."""
    await _take([partial(delete_expired_results, context, run_id) for run_id in await runs_to_clear(context)])
    await _take([partial(delete_idle_object, context, path) for path in await objects_to_check(context)])
    async with context.database.transaction(PlatformScope()) as connection:
        unswept = await attempts_to_sweep(connection)
    await _take([partial(sweep_attempt, context, attempt) for attempt in unswept])
    await _take([partial(step, context) for step in (drop_abandoned, forget_old_deliveries, drop_keyless)])


async def _take(steps: Iterable[Step]) -> None:
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
    """Sweep every few seconds, and tidy up every hour, in one service process at a time.

    What is overdue is ended in a loop of its own: a slow store, from which something is deleted, must not delay it.
    """
    await asyncio.gather(
        _for_ever(context, Sweeping.ENDING, partial(end_overdue, context)),
        _for_ever(context, Sweeping.CLEARING, _Clearing(context)),
    )


class _Clearing:
    """A round of clearing away, and of tidying up when it is time."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._tidy_up_at = 0.0

    async def __call__(self) -> None:
        await clear_away(self._context)
        now = asyncio.get_running_loop().time()
        if now >= self._tidy_up_at:
            self._tidy_up_at = now + _TIDY_UP_S
            await tidy_up(self._context)


async def _for_ever(context: Context, what: Sweeping, one_round: Step) -> None:
    while True:
        try:
            async with context.database.transaction(PlatformScope()) as connection:
                if await is_only_sweeper(connection, what):
                    await one_round()
        except Exception:
            log.warning("a sweep failed; the next one tries again", exc_info=True)
        await asyncio.sleep(context.settings.sweep_s)
