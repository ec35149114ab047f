"""Giving an item the artifacts of an earlier one with the same content."""

from collections.abc import Mapping
from uuid import UUID

from coverslip.contract.worker import ReuseRequest
from coverslip.service.access.rules import AllRuns
from coverslip.service.artifacts import queries as artifacts
from coverslip.service.artifacts.rules import attempt_prefix, result_path
from coverslip.service.context import Context
from coverslip.service.database.rows import AnyRow
from coverslip.service.database.scope import PlatformScope
from coverslip.service.events.queries import NewEvent
from coverslip.service.lifecycle import State
from coverslip.service.reuse import queries
from coverslip.service.reuse.rules import KnownInput, content_key
from coverslip.service.runs import queries as runs
from coverslip.service.scheduling.errors import InputNotDescribed
from coverslip.service.scheduling.holding import require_lease
from coverslip.service.storage.errors import ChecksumDiffers, ObjectNotFound, SizeDiffers
from coverslip.service.storage.store import Area, ObjectKey, content_name


async def reuse_result(context: Context, worker_id: UUID, item_id: UUID, token: str, request: ReuseRequest) -> bool:
    """Publish the artifacts of an earlier item with the same content, if there is one; whether there was.

    The copies are the item's own: deleting the results of one run takes nothing from another. The worker reports the
    attempt as it reports any other.

    Raises
    ------
    LeaseLost
    InputNotDescribed
        If the request does not say what every input is.
    """
    async with context.database.transaction(PlatformScope()) as connection:
        lease = await require_lease(connection, worker_id, item_id, token, lock=True)
        run = await runs.run_by_id(connection, lease.run_id, AllRuns())
        assert run is not None
        given = {row.name: row for row in await artifacts.inputs_of(connection, [item_id])}
        key = content_key(run.application_id, run.version_number, _known(given, request), request.models)
        await queries.remember_content(connection, item_id=item_id, organization_id=lease.organization_id, key=key)
        if not (run.reuse_results and context.settings.reuse_results):
            return False
        source = await queries.item_with_result(
            connection, organization_id=lease.organization_id, key=key, not_item=item_id
        )
        if source is None:
            return False
        # What an earlier attempt has published already is not copied again: the copy would be nobody's.
        missing = {
            row.name for row in await artifacts.outputs_of(connection, [item_id]) if row.state != State.TERMINATED
        }
        finished = {row.name: row for row in await artifacts.outputs_of(connection, [source.id]) if row.name in missing}
    copies = await _copy(context, lease, finished)
    if copies is None:
        return False
    async with context.database.transaction(PlatformScope()) as connection:
        locked = await runs.lock_run(connection, lease.run_id, AllRuns())
        assert locked is not None
        await require_lease(connection, worker_id, item_id, token, lock=True)
        events: list[NewEvent] = []
        for row in await artifacts.outputs_of(connection, [item_id]):
            status = artifacts.status_of(row)
            if status.state is State.TERMINATED:
                continue  # an earlier attempt has published it
            original = finished[row.name]
            await artifacts.save_published(
                connection,
                row.id,
                status.published(),
                object_path=copies[row.name].path,
                size_bytes=original.size_bytes,
                metadata=original.metadata,
            )
            events.append(NewEvent("artifact.available", item_id, {"name": row.name, "artifact_id": str(row.id)}))
        if events:
            events.insert(0, NewEvent("item.reused", item_id, {"result_from": source.result_from.isoformat()}))
            await queries.mark_reused(connection, item_id, source.result_from)
        await runs.save_run(connection, locked, locked.status, events)
    return True


def _known(given: Mapping[str, AnyRow], request: ReuseRequest) -> list[KnownInput]:
    known = [
        KnownInput(content.name, content.file_name, content.sha256, given[content.name].metadata)
        for content in request.inputs
        if content.name in given
    ]
    if sorted(content.name for content in request.inputs) != sorted(given):
        raise InputNotDescribed(names=", ".join(sorted(given)))
    return known


async def _copy(context: Context, lease: AnyRow, finished: Mapping[str, AnyRow]) -> dict[str, ObjectKey] | None:
    """Copy the objects of artifacts to where those of the leased item are; None if one is not there any more."""
    prefix = attempt_prefix(lease.organization_id, lease.run_id, lease.item_id, lease.attempt)
    copies: dict[str, ObjectKey] = {}
    for name, row in finished.items():
        checksum = row.metadata["checksum_base64_crc32c"]
        source = ObjectKey(Area.RESULTS, row.object_path)
        copy = ObjectKey(Area.RESULTS, result_path(prefix, name, content_name(row.size_bytes, checksum)))
        try:
            await context.store.join([source], copy, size_bytes=row.size_bytes, checksum_base64_crc32c=checksum)
        except (ObjectNotFound, SizeDiffers, ChecksumDiffers):
            # Its results are being deleted. Or damaged: then they had better not spread.
            for made in copies.values():
                await context.store.delete(made)
            return None
        copies[name] = copy
    return copies
