"""What waits on the whole platform, looked at anew when the last look is too old."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from coverslip.service.database.engine import Database
from coverslip.service.database.rows import AnyRow
from coverslip.service.database.scope import PlatformScope
from coverslip.service.scheduling import position_queries
from coverslip.service.scheduling.order_rules import expected_s
from coverslip.service.scheduling.position_rules import Backlog, Queue


class QueueSnapshot:
    """The queue of the platform as one service process knows it.

    Parameters
    ----------
    database
        Where it is looked at.
    max_age_s
        How old a look may be.
    """

    def __init__(self, database: Database, *, max_age_s: float) -> None:
        self._database = database
        self._max_age_s = max_age_s
        self._looking = asyncio.Lock()
        self._queue: Queue | None = None
        self._looked_at = 0.0

    async def queue(self) -> Queue:
        """The queue as it was at most ``max_age_s`` ago."""
        now = asyncio.get_running_loop().time
        async with self._looking:
            if self._queue is None or now() - self._looked_at >= self._max_age_s:
                self._looked_at = now()
                self._queue = await self._look()
            return self._queue

    async def _look(self) -> Queue:
        # Counted over every organization, so with the platform's scope; only counts leave it.
        async with self._database.transaction(PlatformScope()) as connection:
            rows = await position_queries.waiting_work(connection)
            frontier, at_s = await position_queries.frontier(connection)
        rows_of: dict[str, list[AnyRow]] = defaultdict(list)
        for row in rows:
            rows_of[row.organization_id].append(row)
        return Queue(map(_backlog, rows_of.values()), frontier=frontier, at_s=at_s)


def _backlog(rows: Sequence[AnyRow]) -> Backlog:
    """Of an organization's rows, one for each version."""
    waiting = sum(row.waiting for row in rows)
    work_s = sum(row.waiting * expected_s(row.mean_s) for row in rows)
    return Backlog(rows[0].organization_id, rows[0].level, work_s / waiting / rows[0].weight, waiting)
