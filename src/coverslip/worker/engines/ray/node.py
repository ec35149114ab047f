"""What runs on a node of the cluster: one attempt, by the same code as on one machine.

The heartbeat is sent from here. A node that is cut off from the rest of the cluster, but not from the service, goes on
with its item; one that is cut off from the service loses its lease, notices, and stops.
"""

import asyncio
import contextlib
import sys
from dataclasses import dataclass, field

from coverslip.telemetry.logs import configure_logs
from coverslip.worker.api import Granted, WorkerApi
from coverslip.worker.engines.local import local_engine
from coverslip.worker.errors import WorkerFault
from coverslip.worker.event_loop import WorkerLoop
from coverslip.worker.settings import WorkerSettings


@dataclass(frozen=True)
class Assignment:
    """All that a node has to know.

    It is the argument of a method, which Ray keeps in no table; those of an actor's creation it would keep.
    """

    settings: WorkerSettings
    worker_token: str = field(repr=False)
    granted: Granted = field(repr=False)


class NodeAttempt:
    """An actor for one attempt: a process of its own, whose methods are called from threads."""

    def __init__(self) -> None:
        if sys.version_info < (3, 14):
            asyncio.set_event_loop_policy(None)  # that of uvloop, which Ray may have set, can start no processes here
        self._runner = asyncio.Runner(loop_factory=WorkerLoop)
        self._loop = self._runner.get_loop()

    def run(self, assignment: Assignment) -> str | None:
        """Take the item to its end. Returns what the next item on this node will suffer from too, if there is such."""
        configure_logs(assignment.settings.log_format, assignment.settings.log_level)
        try:
            with self._runner:
                self._runner.run(_attempt(assignment))
        except WorkerFault as fault:
            return str(fault)
        return None

    def answer(self) -> None:
        """Return when the event loop, which has to send the heartbeats, gets to it."""
        if self._loop.is_running():
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self._loop).result()


async def _attempt(assignment: Assignment) -> None:
    settings = assignment.settings
    async with (
        contextlib.aclosing(WorkerApi(settings.api_root, assignment.worker_token)) as api,
        local_engine(settings, api) as engine,
    ):
        await engine.attempt(assignment.granted)
