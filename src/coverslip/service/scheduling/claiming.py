"""Leasing waiting items to workers with a free slot."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.applications.manifest import Resources
from coverslip.contract.worker import Lease, LeasedInput, LeaseRequest
from coverslip.service.access.rules import AllRuns
from coverslip.service.artifacts import queries as artifacts
from coverslip.service.context import Context
from coverslip.service.database.notifications import WORK
from coverslip.service.database.rows import AnyRow
from coverslip.service.database.scope import PlatformScope
from coverslip.service.events.queries import NewEvent
from coverslip.service.identity.secrets import hash_secret, new_secret
from coverslip.service.items import queries as items
from coverslip.service.runs import queries as runs
from coverslip.service.scheduling import claim_queries
from coverslip.service.scheduling import lease_queries as leases
from coverslip.service.scheduling.accounting import CapReached, charge
from coverslip.service.scheduling.claim_queries import Candidate
from coverslip.service.scheduling.order_rules import expected_s
from coverslip.service.scheduling.packing import (
    Offer,
    first_without_room,
    must_wait_for_room,
    offer_of,
    pass_over,
)
from coverslip.service.storage.store import Area, ObjectKey

# How many organizations a claim looks at before it waits for one whose run another claim holds.
_CANDIDATES = 20

# How often a claim looks anew after others were quicker. Each of them has served somebody meanwhile.
_TRIES = 10

# An item whose back-off ends is found by looking again, not by a notification.
_LOOK_AGAIN_S = 1.0


class _Overtaken(Exception):
    """The run is not what it was when it was chosen: another claim, or its end, came first."""


@dataclass(frozen=True)
class _Claimed:
    """A lease, and for how many seconds its item could have been leased before."""

    lease: Lease
    ready_s: float


async def wait_for_lease(
    context: Context, worker_id: UUID, request: LeaseRequest, has_left: Callable[[], Awaitable[bool]]
) -> Lease | None:
    """Lease an item to a worker; wait up to ``request.wait_s`` seconds for one, but not for a worker that has left."""
    loop = asyncio.get_running_loop()
    asked_at = loop.time()
    give_up_at = asked_at + request.wait_s
    with context.notifications.watch(WORK) as announced:
        while True:
            announced.clear()
            # An item leased to a worker that is gone would wait until the lease expires.
            if await has_left():
                return None
            claimed = await _claim(context, worker_id, request)
            if claimed is not None:
                context.metrics.waits.observe(claimed.ready_s)
                context.metrics.start.observe(min(claimed.ready_s, loop.time() - asked_at))
                return claimed.lease
            left = give_up_at - loop.time()
            if left <= 0:
                return None
            try:
                await asyncio.wait_for(announced.wait(), min(left, _LOOK_AGAIN_S))
            except TimeoutError:
                continue


async def _claim(context: Context, worker_id: UUID, request: LeaseRequest) -> _Claimed | None:
    for _ in range(_TRIES):
        with contextlib.suppress(_Overtaken, CapReached):
            async with context.database.transaction(PlatformScope()) as connection:
                offer = await offer_of(connection, request)
                too_large = await first_without_room(context, connection, offer)
                if too_large is not None and must_wait_for_room(context, too_large):
                    return None
                claimed = await _lease_first(context, connection, offer, worker_id, request.worker_name)
            if claimed is not None and too_large is not None:
                await pass_over(context, too_large)
            return claimed
    return None


async def _lease_first(
    context: Context, connection: AsyncConnection, offer: Offer, worker_id: UUID, worker_name: str
) -> _Claimed | None:
    items_at_once = context.settings.items_of_run_at_once
    candidates = await claim_queries.candidates(connection, offer.now, items_at_once=items_at_once, limit=_CANDIDATES)
    # First whatever is free; if all are held by other transactions, wait for the one to be served first.
    for skip_locked in (True, False):
        for candidate in candidates if skip_locked else candidates[:1]:
            locked = await runs.lock_run(connection, candidate.run_id, AllRuns(), skip_locked=skip_locked)
            if locked is None:
                continue
            item = await items.next_waiting(connection, candidate.run_id)
            gives_way = locked.status.statistics.processing >= items_at_once
            if item is None or gives_way is not candidate.gives_way:
                raise _Overtaken
            resources = offer.resources[candidate.version]
            lease = await _lease(context, connection, locked, item, candidate, resources, worker_id, worker_name)
            return _Claimed(lease, item.ready_s)
    return None


async def _lease(
    context: Context,
    connection: AsyncConnection,
    locked: runs.LockedRun,
    item: AnyRow,
    candidate: Candidate,
    resources: Resources,
    worker_id: UUID,
    worker_name: str,
) -> Lease:
    before = items.status_of(item)
    after = before.started()
    attempt = item.attempt_count + 1
    token = new_secret()
    await items.save_item(connection, item.id, after, new_attempt=True)
    charged_s = expected_s(candidate.mean_s)
    expires_at = await leases.insert_lease(
        connection,
        item_id=item.id,
        run_id=locked.id,
        organization_id=locked.organization_id,
        worker_id=worker_id,
        worker_name=worker_name,
        number=attempt,
        token_hash=hash_secret(token),
        duration=timedelta(seconds=context.settings.lease_s),
        charged_s=charged_s,
        weight=candidate.weight,
    )
    if candidate.passed_over_s is not None:
        await claim_queries.stop_passing_over(connection, locked.id)
    status = locked.status.item_moved(before, after)
    events = [NewEvent("item.processing", item.id, {"attempt": attempt})]
    if status.state is not locked.status.state:
        events.append(NewEvent("run.processing"))
    account = await runs.save_run(connection, locked, status, events)
    assert account is not None
    await charge(
        connection,
        account,
        organization_id=locked.organization_id,
        user_id=locked.submitted_by,
        of_run=status.statistics.processing,
        expected_s=charged_s,
        weight=candidate.weight,
    )
    application_id, version_number = candidate.version
    return Lease(
        lease_token=token,
        item_id=item.id,
        run_id=locked.id,
        external_id=item.external_id,
        attempt=attempt,
        application_id=application_id,
        version_number=version_number,
        inputs=[
            LeasedInput(name=row.name, download_url=_input_url(context, row), metadata=row.metadata)
            for row in await artifacts.inputs_of(connection, [item.id])
        ],
        time_limit_s=resources.time_limit_s,
        memory_limit_mb=resources.memory_mb,
        cpu=resources.cpu,
        gpu=resources.gpu,
        heartbeat_s=context.settings.heartbeat_s,
        expires_at=expires_at,
    )


def _input_url(context: Context, row: AnyRow) -> str:
    """The URL to fetch an input from: in our own store signed anew, so that a long queue never meets an expired one."""
    if row.object_path is None:
        return str(row.download_url)
    key = ObjectKey(Area.INPUTS, row.object_path)
    return context.store.sign_get(key, expires_in_s=context.settings.input_url_lifetime_s)
