"""Attempts on the nodes of a Ray cluster: this process leases items and finds each a place."""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from coverslip.contract.attempts import AttemptOutcome
from coverslip.contract.worker import ReportRequest, Room
from coverslip.worker.api import Granted, WorkerApi
from coverslip.worker.engines.engine import Offer, needs_of
from coverslip.worker.engines.ray.cluster import live_nodes, roomiest
from coverslip.worker.engines.ray.node import Assignment, NodeAttempt
from coverslip.worker.engines.ray.placement import Place, reserved
from coverslip.worker.errors import (
    LeaseLost,
    NodeFaulty,
    NodeLost,
    PlatformFault,
    ServiceRefused,
    WorkerFailed,
    WorkerStopped,
)
from coverslip.worker.scratch import clean_up, clean_up_after
from coverslip.worker.settings import WorkerSettings
from coverslip.worker.task_group import task_group

_LOOK_S = 1.0
_TURN_S = 2.0
_START_S = 60.0  # a node may be busy, and has much to import
_LAST_WORDS_S = 2.0
_TIDY_S = 10.0

T = TypeVar("T")

log = logging.getLogger(__name__)


class RayEngine:
    """The `Engine` of a cluster. `coverslip.worker.engines.ray.opening.ray_engine` makes one.

    Parameters
    ----------
    settings
        For the attempts on the nodes; its scratch folder is one of each node.
    api
        The service.
    """

    def __init__(self, settings: WorkerSettings, api: WorkerApi) -> None:
        self._settings = settings
        self._worker_token = settings.worker_token()
        self._api = api
        self._wanted: list[Room] = []
        self._offers = itertools.count()
        self._node_attempt: Any = ray.remote(NodeAttempt)

    async def room(self) -> Offer:
        """See `Engine`."""
        while True:
            nodes = roomiest(await asyncio.to_thread(live_nodes), self._wanted)
            if len(nodes) == 1:
                return Offer(nodes[0].free, nodes[0].total)
            if nodes:
                # Each has what the others lack: they take turns.
                node = nodes[next(self._offers) % len(nodes)]
                return Offer(node.free, node.total, _TURN_S)
            await asyncio.sleep(_LOOK_S)

    async def attempt(self, granted: Granted) -> None:
        """See `Engine`."""
        place = None
        try:
            async with self._place(granted) as place:
                fault = await self._on_node(place, granted)
        except PlatformFault as lost:
            await self._give_up(granted, lost, place)
        except asyncio.CancelledError:
            await self._give_up(granted, WorkerStopped(), place)
            raise
        except Exception as error:
            log.exception("item %s: the cluster does not do what it is asked for", granted.lease.item_id)
            failure = WorkerFailed(reason=type(error).__name__)
            await self._give_up(granted, failure, place)
            raise failure from None
        else:
            if fault is not None:
                raise NodeFaulty(detail=fault)

    @contextlib.asynccontextmanager
    async def _place(self, granted: Granted) -> AsyncIterator[Place]:
        needs = needs_of(granted.lease)
        async with contextlib.AsyncExitStack() as reservation:
            self._wanted.append(needs)
            try:
                place = await reservation.enter_async_context(reserved(granted.lease, granted.expires_in_s / 2))
            finally:
                self._wanted.remove(needs)
            yield place

    async def _on_node(self, place: Place, granted: Granted) -> str | None:
        """Have the node do it; returns what is wrong with the node.

        Raises
        ------
        NodeLost
            If the node is gone, or its process is, or does not answer for as long as a lease lasts.
        """
        # No retries by Ray: the platform's own are counted, fenced and logged.
        never_again = {"max_restarts": 0, "max_task_retries": 0}
        actor = self._node_attempt.options(max_concurrency=2, **never_again, **place.options).remote()
        assignment = Assignment(self._settings, self._worker_token, granted)
        try:
            async with task_group() as tasks:
                watching = tasks.create_task(_watch(actor, granted))
                fault: str | None = await _reply(actor.run.remote(assignment))
                watching.cancel()
        finally:
            ray.kill(actor)
        return fault

    async def _give_up(self, granted: Granted, fault: PlatformFault, place: Place | None) -> None:
        """Let another attempt follow at once, not only when the lease has expired."""
        lease = granted.lease
        log.warning("item %s, attempt %d: %s", lease.item_id, lease.attempt, fault)
        end = ReportRequest(
            outcome=AttemptOutcome.SYSTEM_ERROR,
            error_code=fault.code,
            error_message=str(fault),
            exit_cause=fault.exit_cause,
        )
        # The attempt may have reported its end, or lost the lease, before its node was lost.
        with contextlib.suppress(TimeoutError, LeaseLost, ServiceRefused):
            async with asyncio.timeout(_LAST_WORDS_S):
                await self._api.report(lease.item_id, lease.lease_token, end)
        if place is not None:  # the next attempt there would do so too
            await _on_nodes(
                [place.node_id], clean_up_after, self._settings.scratch, lease.item_id, lease.attempt, _TIDY_S
            )

    async def clean_up(self) -> None:
        """Remove what attempts that were killed have left on any node."""
        nodes = await asyncio.to_thread(live_nodes)
        await _on_nodes([node.node_id for node in nodes], clean_up, self._settings.scratch)


async def _on_nodes(node_ids: list[str], function: Callable[..., None], *arguments: object) -> None:
    """Call a function on some nodes, of which some may be gone. Nobody depends on what it does there."""
    task: Any = ray.remote(function)
    there = [NodeAffinitySchedulingStrategy(node_id, soft=False) for node_id in node_ids]
    refs = [task.options(num_cpus=0, max_retries=0, scheduling_strategy=each).remote(*arguments) for each in there]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_TIDY_S):
            await asyncio.gather(*refs, return_exceptions=True)


async def _watch(actor: Any, granted: Granted) -> None:
    """Look whether an actor's event loop goes round. If it stands still, it sends no heartbeat, and loses its lease."""
    heartbeat_s = granted.lease.heartbeat_s
    patience_s = _START_S
    while True:
        try:
            async with asyncio.timeout(patience_s):
                await _reply(actor.answer.remote())
        except TimeoutError:
            raise NodeLost(reason=f"its process did not answer for {patience_s:.0f} s") from None
        patience_s = max(granted.expires_in_s, 3 * heartbeat_s)
        await asyncio.sleep(heartbeat_s)


async def _reply(ref: Awaitable[T]) -> T:
    try:
        return await ref
    except RayError as error:
        log.warning("%s", error)
        raise NodeLost(reason=type(error).__name__) from None
