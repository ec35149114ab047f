"""Leasing waiting items to workers with a free slot."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.applications.manifest import Resources
from coverslip.contract.worker import Lease, LeasedInput, LeaseRequest
from coverslip.service.access.rules import AllRuns
from coverslip.service.artifacts import queries as artifacts
from coverslip.service.catalog import queries as catalog
from coverslip.service.context import Context
from coverslip.service.database.notifications import WORK
from coverslip.service.database.rows import AnyRow
from coverslip.service.database.scope import PlatformScope
from coverslip.service.events.queries import NewEvent
from coverslip.service.identity.secrets import hash_secret, new_secret
from coverslip.service.items import queries as items
from coverslip.service.runs import queries as runs
from coverslip.service.scheduling import lease_queries as leases
from coverslip.service.storage.store import Area, ObjectKey

# How many runs a claim looks at before it waits for one that another claim holds.
_CANDIDATES = 20

# An item whose back-off ends is found by looking again, not by a notification.
_LOOK_AGAIN_S = 1.0


async def wait_for_lease(
    context: Context, worker_id: UUID, request: LeaseRequest, has_left: Callable[[], Awaitable[bool]]
) -> Lease | None:
    """Lease an item to a worker; wait up to ``request.wait_s`` seconds for one, but not for a worker that has left."""
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + request.wait_s
    with context.notifications.watch(WORK) as announced:
        while True:
            announced.clear()
            # An item leased to a worker that is gone would wait until the lease expires.
            if await has_left():
                return None
            lease = await _claim(context, worker_id, request)
            left = give_up_at - loop.time()
            if lease is not None or left <= 0:
                return lease
            try:
                await asyncio.wait_for(announced.wait(), min(left, _LOOK_AGAIN_S))
            except TimeoutError:
                continue


async def _claim(context: Context, worker_id: UUID, request: LeaseRequest) -> Lease | None:
    versions = [(offer.application_id, offer.version_number) for offer in request.versions]
    async with context.database.transaction(PlatformScope()) as connection:
        candidates = await runs.waiting_runs(connection, versions, limit=_CANDIDATES)
        # First whatever is free; if all are held by other transactions, wait for the one to be served first.
        for skip_locked in (True, False):
            for run_id in candidates if skip_locked else candidates[:1]:
                locked = await runs.lock_run(connection, run_id, AllRuns(), skip_locked=skip_locked)
                if locked is None:
                    continue
                item = await items.next_waiting(connection, run_id)
                if item is not None:
                    return await _lease(context, connection, locked, item, worker_id, request.worker_name)
    return None


async def _lease(
    context: Context,
    connection: AsyncConnection,
    locked: runs.LockedRun,
    item: AnyRow,
    worker_id: UUID,
    worker_name: str,
) -> Lease:
    before = items.status_of(item)
    after = before.started()
    attempt = item.attempt_count + 1
    token = new_secret()
    await items.save_item(connection, item.id, after, new_attempt=True)
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
    )
    status = locked.status.item_moved(before, after)
    events = [NewEvent("item.processing", item.id, {"attempt": attempt})]
    if status.state is not locked.status.state:
        events.append(NewEvent("run.processing"))
    await runs.save_run(connection, locked, status, events)
    run = await runs.run_by_id(connection, locked.id, AllRuns())
    assert run is not None
    version = await catalog.version(connection, run.application_id, run.version_number)
    assert version is not None
    resources = Resources.model_validate(version.resources)
    return Lease(
        lease_token=token,
        item_id=item.id,
        run_id=locked.id,
        external_id=item.external_id,
        attempt=attempt,
        application_id=run.application_id,
        version_number=run.version_number,
        inputs=[
            LeasedInput(name=row.name, download_url=_input_url(context, row), metadata=row.metadata)
            for row in await artifacts.inputs_of(connection, [item.id])
        ],
        time_limit_s=resources.time_limit_s,
        memory_limit_mb=resources.memory_mb,
        heartbeat_s=context.settings.heartbeat_s,
        expires_at=expires_at,
    )


def _input_url(context: Context, row: AnyRow) -> str:
    """The URL to fetch an input from: in our own store signed anew, so that a long queue never meets an expired one."""
    if row.object_path is None:
        return str(row.download_url)
    key = ObjectKey(Area.INPUTS, row.object_path)
    return context.store.sign_get(key, expires_in_s=context.settings.input_url_lifetime_s)
