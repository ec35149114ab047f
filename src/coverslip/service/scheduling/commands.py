"""Leasing items to workers and taking in what they report: each one transaction."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.applications.manifest import Resources
from coverslip.contract.artifacts import ArtifactTerminationReason
from coverslip.contract.fields import JsonObject
from coverslip.contract.items import ItemTerminationReason
from coverslip.contract.worker import (
    ArtifactPublishRequest,
    ArtifactUploadRequest,
    AttemptOutcome,
    HeartbeatRequest,
    Lease,
    LeasedInput,
    LeaseRequest,
    ReportRequest,
)
from coverslip.service.access.rules import AllRuns
from coverslip.service.artifacts import queries as artifacts
from coverslip.service.artifacts.rules import attempt_prefix, result_path, uploaded_path
from coverslip.service.catalog import queries as catalog
from coverslip.service.context import Context
from coverslip.service.database.notifications import WORK, notify
from coverslip.service.database.rows import AnyRow
from coverslip.service.database.scope import PlatformScope
from coverslip.service.events.queries import NewEvent
from coverslip.service.identity.secrets import hash_secret, new_secret
from coverslip.service.items import queries as items
from coverslip.service.items.rules import ItemStatus
from coverslip.service.lifecycle import State
from coverslip.service.runs import queries as runs
from coverslip.service.runs.rules import RunStatus
from coverslip.service.scheduling import lease_queries as leases
from coverslip.service.scheduling.errors import (
    ArtifactMetadataInvalid,
    ArtifactNotDeclared,
    ArtifactNotUploaded,
    LeaseLost,
)
from coverslip.service.scheduling.rules import LATE_UPLOADS_UNTIL, UPLOAD_URL_LIFETIME, GiveUp, after_failure
from coverslip.service.storage.errors import ChecksumDiffers, ObjectNotFound, SizeDiffers
from coverslip.service.storage.store import Area, ObjectKey, content_name

_PLATFORM = PlatformScope()

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
    async with context.database.transaction(_PLATFORM) as connection:
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


async def _require_lease(
    connection: AsyncConnection, worker_id: UUID, item_id: UUID, token: str, *, lock: bool = False
) -> AnyRow:
    lease = await leases.valid_lease(
        connection, worker_id=worker_id, item_id=item_id, token_hash=hash_secret(token), lock=lock
    )
    if lease is None:
        raise LeaseLost
    return lease


async def heartbeat(
    context: Context, worker_id: UUID, item_id: UUID, token: str, request: HeartbeatRequest
) -> datetime:
    """Extend a lease and record how far its attempt is; returns when it expires now.

    Raises
    ------
    LeaseLost
    """
    async with context.database.transaction(_PLATFORM) as connection:
        lease = await _require_lease(connection, worker_id, item_id, token, lock=True)
        await leases.record_progress(
            connection, item_id=item_id, number=lease.attempt, stage=request.stage, fraction=request.fraction
        )
        return await leases.extend_lease(connection, item_id, timedelta(seconds=context.settings.lease_s))


async def sign_artifact(
    context: Context, worker_id: UUID, item_id: UUID, token: str, request: ArtifactUploadRequest
) -> str | None:
    """A URL to upload an output artifact to; None when an earlier attempt has published it.

    Raises
    ------
    LeaseLost, ArtifactNotDeclared
    """
    async with context.database.transaction(_PLATFORM) as connection:
        lease = await _require_lease(connection, worker_id, item_id, token, lock=True)
        artifact = await _declared_artifact(connection, item_id, request.name)
        status = artifacts.status_of(artifact)
        if status.state is State.TERMINATED:
            return None
        await artifacts.save_uploading(connection, artifact.id, status.uploading())
    return context.store.sign_put(
        _uploaded_key(lease, request.name),
        expires_in_s=int(UPLOAD_URL_LIFETIME.total_seconds()),
        size_bytes=request.size_bytes,
        checksum_base64_crc32c=request.checksum_base64_crc32c,
    )


async def publish_artifact(
    context: Context, worker_id: UUID, item_id: UUID, token: str, request: ArtifactPublishRequest
) -> None:
    """Make an uploaded artifact available; published again, nothing changes.

    Raises
    ------
    LeaseLost, ArtifactNotDeclared, ArtifactMetadataInvalid, ArtifactNotUploaded
    """
    async with context.database.transaction(_PLATFORM) as connection:
        lease = await _require_lease(connection, worker_id, item_id, token)
        artifact = await _declared_artifact(connection, item_id, request.name)
        if artifacts.status_of(artifact).state is State.TERMINATED:
            return
    uploaded, key = _uploaded_key(lease, request.name), _result_key(lease, request)
    try:
        await context.store.join(
            [uploaded], key, size_bytes=request.size_bytes, checksum_base64_crc32c=request.checksum_base64_crc32c
        )
        is_there = True
    except (ObjectNotFound, SizeDiffers, ChecksumDiffers):
        is_there = False
    async with context.database.transaction(_PLATFORM) as connection:
        locked = await runs.lock_run(connection, lease.run_id, AllRuns())
        await _require_lease(connection, worker_id, item_id, token, lock=True)
        artifact = await _declared_artifact(connection, item_id, request.name)
        status = artifacts.status_of(artifact)
        if status.state is State.TERMINATED:
            return
        if not is_there:
            raise ArtifactNotUploaded(name=request.name)
        metadata = request.metadata | {"checksum_base64_crc32c": request.checksum_base64_crc32c}
        await _check_metadata(connection, lease.run_id, request.name, metadata)
        await artifacts.save_published(
            connection,
            artifact.id,
            status.published(),
            object_path=key.path,
            size_bytes=request.size_bytes,
            metadata=metadata,
        )
        assert locked is not None
        available = NewEvent("artifact.available", item_id, {"name": request.name, "artifact_id": str(artifact.id)})
        await runs.save_run(connection, locked, locked.status, [available])
    await context.store.delete(uploaded)


async def _declared_artifact(connection: AsyncConnection, item_id: UUID, name: str) -> AnyRow:
    artifact = await artifacts.output_by_name(connection, item_id, name)
    if artifact is None:
        raise ArtifactNotDeclared(name=name)
    return artifact


def _attempt_prefix(lease: AnyRow) -> str:
    return attempt_prefix(lease.organization_id, lease.run_id, lease.item_id, lease.attempt)


def _uploaded_key(lease: AnyRow, name: str) -> ObjectKey:
    return ObjectKey(Area.PARTS, uploaded_path(_attempt_prefix(lease), name))


def _result_key(lease: AnyRow, request: ArtifactPublishRequest) -> ObjectKey:
    content = content_name(request.size_bytes, request.checksum_base64_crc32c)
    return ObjectKey(Area.RESULTS, result_path(_attempt_prefix(lease), request.name, content))


async def _check_metadata(connection: AsyncConnection, run_id: UUID, name: str, metadata: JsonObject) -> None:
    run = await runs.run_by_id(connection, run_id, AllRuns())
    assert run is not None
    version = await catalog.version(connection, run.application_id, run.version_number)
    assert version is not None
    schema = next(output["metadata_schema"] for output in version.output_artifacts if output["name"] == name)
    validator = validator_for(schema, default=Draft202012Validator)(schema)
    for error in validator.iter_errors(metadata):
        raise ArtifactMetadataInvalid(name=name, fault=error.message[:300])


async def report(context: Context, worker_id: UUID, item_id: UUID, token: str, request: ReportRequest) -> None:
    """Take in how an attempt ended, and move its item.

    Raises
    ------
    LeaseLost
    """
    async with context.database.transaction(_PLATFORM) as connection:
        lease = await _require_lease(connection, worker_id, item_id, token)
        locked = await runs.lock_run(connection, lease.run_id, AllRuns())
        # Only now nobody else can end this attempt.
        lease = await _require_lease(connection, worker_id, item_id, token, lock=True)
        end = leases.AttemptEnd(
            outcome=request.outcome,
            error_code=request.error_code,
            error_message=request.error_message,
            stage=request.stage or None,
            log=request.log,
            peak_memory_mb=request.peak_memory_mb,
        )
        if request.outcome is AttemptOutcome.SUCCEEDED:
            missing = [
                row.name for row in await artifacts.outputs_of(connection, [item_id]) if row.state != State.TERMINATED
            ]
            if missing:
                end = leases.AttemptEnd(
                    AttemptOutcome.SYSTEM_ERROR,
                    "APPLICATION.OUTPUT_MISSING",
                    "The application ended without writing " + ", ".join(missing) + ". Its author has to correct it.",
                    end.stage,
                    end.log,
                    end.peak_memory_mb,
                )
        assert locked is not None
        await _end_attempt(context, connection, locked, item_id, lease.attempt, end)


async def expire_lease(context: Context, expired: AnyRow) -> None:
    """Give up on a worker that has not been heard of, unless somebody else has done so meanwhile."""
    async with context.database.transaction(_PLATFORM) as connection:
        locked = await runs.lock_run(connection, expired.run_id, AllRuns())
        if locked is None or await leases.lease_attempt(connection, expired.item_id) != expired.attempt:
            return
        message = (
            f"The worker '{expired.worker_name}' was lost while {expired.stage or 'starting'}: it stopped sending "
            "heartbeats. Its log says whether it was killed or lost its network."
        )
        end = leases.AttemptEnd(AttemptOutcome.LEASE_LOST, "WORKER.LOST", message)
        await _end_attempt(context, connection, locked, expired.item_id, expired.attempt, end)


async def _end_attempt(
    context: Context,
    connection: AsyncConnection,
    locked: runs.LockedRun,
    item_id: UUID,
    attempt: int,
    end: leases.AttemptEnd,
) -> None:
    row = await items.item_by_id(connection, item_id)
    assert row is not None
    before = items.status_of(row)
    delay = timedelta(0)
    if end.outcome is AttemptOutcome.SUCCEEDED:
        after = before.terminated(ItemTerminationReason.SUCCEEDED)
    elif end.outcome is AttemptOutcome.USER_ERROR:
        after = before.terminated(ItemTerminationReason.USER_ERROR, end.error_code, end.error_message)
    else:
        settings = context.settings
        next_step = after_failure(attempt, max_attempts=settings.max_attempts, backoff_s=settings.retry_backoff_s)
        if isinstance(next_step, GiveUp):
            after = before.terminated(ItemTerminationReason.SYSTEM_ERROR, end.error_code, end.error_message)
        else:
            after, delay = before.requeued(), next_step.delay
    await leases.end_lease(connection, item_id=item_id, number=attempt, end=end)
    await items.save_item(connection, item_id, after, delay=delay)
    if after.state is State.TERMINATED:
        assert after.termination_reason is not None
        reason = ArtifactTerminationReason(after.termination_reason)
        if reason is not ArtifactTerminationReason.SUCCEEDED:
            await artifacts.give_up_unfinished(connection, [item_id], reason, after.error_code, after.error_message)
    else:
        await artifacts.requeue_unfinished(connection, item_id)
        await notify(connection, WORK)
    status = locked.status.item_moved(before, after)
    await runs.save_run(connection, locked, status, _events(item_id, attempt, after, locked, status, end))


def _events(
    item_id: UUID,
    attempt: int,
    after: ItemStatus,
    locked: runs.LockedRun,
    status: RunStatus,
    end: leases.AttemptEnd,
) -> list[NewEvent]:
    if after.state is State.TERMINATED:
        payload = {"termination_reason": after.termination_reason, "error_code": after.error_code}
        events = [NewEvent("item.terminated", item_id, payload)]
    else:
        events = [NewEvent("item.requeued", item_id, {"attempt": attempt, "error_code": end.error_code})]
    if status.state is not locked.status.state:
        payload = {"termination_reason": status.termination_reason} if status.termination_reason else {}
        events.append(NewEvent(f"run.{status.state.lower()}", payload=payload))
    return events


async def sweep_attempt(context: Context, attempt: AnyRow) -> None:
    """Delete what an attempt that has ended left in the store and no artifact owns."""
    async with context.database.transaction(_PLATFORM) as connection:
        owned = await artifacts.available_paths(connection, attempt.item_id)
    prefix = attempt_prefix(attempt.organization_id, attempt.run_id, attempt.item_id, attempt.number)
    for area in (Area.PARTS, Area.RESULTS):
        async for stat in context.store.list(area, prefix):
            if area is Area.PARTS or stat.key.path not in owned:
                await context.store.delete(stat.key)
    async with context.database.transaction(_PLATFORM) as connection:
        await leases.mark_swept(connection, attempt.item_id, attempt.number, late_uploads_until=LATE_UPLOADS_UNTIL)
