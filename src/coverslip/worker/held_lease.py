"""A lease, and what a worker does to keep it."""

import asyncio
import contextlib
import logging

from coverslip.contract.worker import HeartbeatRequest
from coverslip.worker.api import Granted, WorkerApi
from coverslip.worker.errors import LeaseLost, ServiceRefused
from coverslip.worker.stages import StageClock

_HEARTBEATS_APART_S = 1.0

log = logging.getLogger(__name__)


class HeldLease:
    """Sends heartbeats, which say how far the work is.

    Parameters
    ----------
    api
        The service.
    granted
        The lease.

    Attributes
    ----------
    stage, fraction
        Where the work is.
    stages
        How long it was where.
    """

    def __init__(self, api: WorkerApi, granted: Granted) -> None:
        self._api = api
        self._lease = granted.lease
        # Whatever its clocks say, a service that answers heartbeats keeps the lease. Ending late does no harm.
        self._at_least_s = 3 * self._lease.heartbeat_s
        self._expires_in_s = max(granted.expires_in_s, self._at_least_s)
        self._changed = asyncio.Event()
        self._ending = False
        self.stage = ""
        self.fraction = 0.0
        self.stages = StageClock()

    def progress(self, stage: str, fraction: float) -> None:
        """Note how far the work is; a heartbeat soon tells the service."""
        self.stage, self.fraction = stage, fraction
        self.stages.enter(stage)
        self._changed.set()

    def end(self) -> None:
        """The report that ends the lease is on its way: until it expires, a refused heartbeat is no news."""
        self._ending = True

    async def keep(self) -> None:
        """Send heartbeats for ever.

        Raises
        ------
        LeaseLost
            If the service says so, or was away for so long that the lease has expired.
        """
        now = asyncio.get_running_loop().time
        expires_at = now() + self._expires_in_s
        while True:
            pause_s = min(self._lease.heartbeat_s, self._expires_in_s / 3)
            await self._pause(pause_s)
            try:
                async with asyncio.timeout_at(expires_at):
                    self._expires_in_s = max(await self._heartbeat(), self._at_least_s)
                expires_at = now() + self._expires_in_s
            except TimeoutError:
                log.warning("the service was away for longer than the lease of item %s", self._lease.item_id)
                raise LeaseLost from None
            except ServiceRefused as refusal:
                log.error("a heartbeat of item %s was refused: %s", self._lease.item_id, refusal)
                raise LeaseLost from None
            except LeaseLost:
                if self._ending:
                    await asyncio.sleep(expires_at - now())
                raise

    async def _heartbeat(self) -> float:
        request = HeartbeatRequest(stage=self.stage[:200], fraction=self.fraction, stages=self.stages.durations())
        return await self._api.heartbeat(self._lease.item_id, self._lease.lease_token, request)

    async def _pause(self, longest_s: float) -> None:
        shortest_s = min(_HEARTBEATS_APART_S, longest_s)
        await asyncio.sleep(shortest_s)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), longest_s - shortest_s)
        self._changed.clear()
