"""SQL about items."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, false, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.fields import JsonObject
from coverslip.contract.items import ItemTerminationReason
from coverslip.service.access.queries import item_in
from coverslip.service.access.sharing_rules import RunParts
from coverslip.service.database.rows import AnyRow
from coverslip.service.items.rules import ItemStatus
from coverslip.service.items.tables import item
from coverslip.service.lifecycle import State
from coverslip.service.paging import Page, SortOrder
from coverslip.service.runs.queries import matches_jsonpath

ITEM_SORT: Mapping[str, ColumnElement[Any]] = {
    "item_id": item.c.id,
    "external_id": item.c.external_id,
    "custom_metadata": item.c.custom_metadata,
    "terminated_at": item.c.terminated_at,
    "termination_reason": item.c.termination_reason,
}


# The published client keeps a signed URL of the slide, valid for a week, in the metadata of the item.
_BUCKET = ("sdk", "platform_bucket")
_WITHOUT_URL = case(
    (
        func.jsonb_typeof(item.c.custom_metadata[_BUCKET]) == "object",
        item.c.custom_metadata.delete_path([*_BUCKET, "signed_download_url"]),
    ),
    else_=item.c.custom_metadata,
)


@dataclass(frozen=True)
class ItemFilter:
    """What a list of items is narrowed to."""

    item_ids: Sequence[UUID] | None = None
    external_ids: Sequence[str] | None = None
    state: str | None = None
    termination_reason: str | None = None
    custom_metadata: str | None = None
    endings: Sequence[str | None] | None = None
    """Termination reasons, None among them for items that have not ended."""


def status_of(row: AnyRow) -> ItemStatus:
    """The status in a row of ``item``."""
    reason = ItemTerminationReason(row.termination_reason) if row.termination_reason else None
    return ItemStatus(State(row.state), reason, row.error_code, row.error_message)


async def insert_items(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    await connection.execute(insert(item), list(rows))


async def save_item(
    connection: AsyncConnection,
    item_id: UUID,
    status: ItemStatus,
    *,
    new_attempt: bool = False,
    delay: timedelta = timedelta(0),
) -> None:
    """Write an item's new status; the caller has locked its run."""
    values: dict[str, Any] = {
        "state": status.state,
        "termination_reason": status.termination_reason,
        "error_code": status.error_code,
        "error_message": status.error_message,
        "terminated_at": func.now() if status.state is State.TERMINATED else None,
    }
    if new_attempt:
        values["attempt_count"] = item.c.attempt_count + 1
    if status.state is State.PENDING:
        values["available_at"] = func.now() + delay
    await connection.execute(update(item).where(item.c.id == item_id).values(**values))


async def skip_unfinished(connection: AsyncConnection, run_id: UUID) -> Sequence[UUID]:
    """End every unfinished item of a locked run as SKIPPED; returns their ids."""
    statement = (
        update(item)
        .where(item.c.run_id == run_id, item.c.state != State.TERMINATED)
        .values(state=State.TERMINATED, termination_reason=ItemTerminationReason.SKIPPED, terminated_at=func.now())
        .returning(item.c.id)
    )
    skipped: Sequence[UUID] = (await connection.execute(statement)).scalars().all()
    return skipped


async def item_by_id(connection: AsyncConnection, item_id: UUID) -> AnyRow | None:
    return (await connection.execute(select(item).where(item.c.id == item_id))).one_or_none()


async def next_waiting(connection: AsyncConnection, run_id: UUID) -> AnyRow | None:
    """The first item of a locked run that may be processed now, and for how many seconds it could have been."""
    statement = (
        select(item, func.date_part("epoch", func.clock_timestamp() - item.c.available_at).label("ready_s"))
        .where(item.c.run_id == run_id, item.c.state == State.PENDING, item.c.available_at <= func.now())
        .order_by(item.c.position)
        .limit(1)
    )
    return (await connection.execute(statement)).one_or_none()


async def items(
    connection: AsyncConnection, parts: RunParts, narrow: ItemFilter, *, order: SortOrder, page: Page
) -> Sequence[AnyRow]:
    """The items among ``parts`` of a run that pass the filter.

    With ``waiting_rank`` for those that wait (from 1), and ``shown_metadata``: their custom metadata as the reader may
    see and filter it.
    """
    metadata = _WITHOUT_URL if parts.shared else item.c.custom_metadata
    # The rank is counted over all waiting items of the run, so before the filter.
    rank = (
        select(item.c.id, func.row_number().over(order_by=item.c.position).label("waiting_rank"))
        .where(item.c.run_id == parts.run_id, item.c.state == State.PENDING)
        .subquery()
    )
    conditions = [item_in(parts)]
    if narrow.item_ids is not None:
        conditions.append(item.c.id.in_(narrow.item_ids))
    if narrow.external_ids is not None:
        conditions.append(item.c.external_id.in_(narrow.external_ids))
    if narrow.state is not None:
        conditions.append(item.c.state == narrow.state)
    if narrow.termination_reason is not None:
        conditions.append(item.c.termination_reason == narrow.termination_reason)
    if narrow.endings is not None:
        reasons = [ending for ending in narrow.endings if ending is not None]
        unfinished = item.c.termination_reason.is_(None) if None in narrow.endings else false()
        conditions.append(or_(item.c.termination_reason.in_(reasons), unfinished))
    if narrow.custom_metadata is not None:
        conditions.append(matches_jsonpath(metadata, narrow.custom_metadata))
    statement = (
        select(item, metadata.label("shown_metadata"), rank.c.waiting_rank)
        .outerjoin(rank, rank.c.id == item.c.id)
        .where(*conditions)
        .order_by(*order, item.c.position)
    )
    return (await connection.execute(page.of(statement))).all()


async def lock_item_metadata(connection: AsyncConnection, run_id: UUID, external_id: str) -> AnyRow | None:
    statement = (
        select(item.c.id, item.c.custom_metadata)
        .where(item.c.run_id == run_id, item.c.external_id == external_id)
        .with_for_update()
    )
    return (await connection.execute(statement)).one_or_none()


async def replace_metadata(
    connection: AsyncConnection, item_id: UUID, metadata: JsonObject | None
) -> JsonObject | None:
    """Replace an item's custom metadata; returns it as stored."""
    statement = (
        update(item).where(item.c.id == item_id).values(custom_metadata=metadata).returning(item.c.custom_metadata)
    )
    stored: JsonObject | None = (await connection.execute(statement)).scalar_one()
    return stored
