"""SQL about events."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.events import EventKind
from coverslip.service.database.notifications import events_of, notify
from coverslip.service.database.rows import AnyRow
from coverslip.service.events.tables import event
from coverslip.service.items.tables import item
from coverslip.service.webhooks.delivery_queries import enqueue


@dataclass(frozen=True)
class NewEvent:
    """Something that happened to a run, or to one of its items; the kind is one of ``EventKind``."""

    kind: str
    item_id: UUID | None = None
    payload: dict[str, Any] = field(default_factory=dict)


async def append(
    connection: AsyncConnection, *, run_id: UUID, organization_id: str, last: int, events: Sequence[NewEvent]
) -> int:
    """Append events after number ``last``, whose run row the caller has locked; returns the new last number.

    The webhooks that ask for them get a delivery of each, and readers of the run's events are woken.
    """
    rows = [
        {
            "run_id": run_id,
            "organization_id": organization_id,
            "number": number,
            "kind": EventKind(new.kind),
            "item_id": new.item_id,
            "payload": new.payload,
        }
        for number, new in enumerate(events, start=last + 1)
    ]
    if rows:
        await connection.execute(insert(event), rows)
        await enqueue(connection, run_id, after=last)
        await notify(connection, events_of(run_id))
    return last + len(rows)


async def events_after(connection: AsyncConnection, run_id: UUID, number: int, *, limit: int) -> Sequence[AnyRow]:
    """The next events of a run, whose visibility the caller has checked, with the external ids of their items."""
    statement = (
        select(event, item.c.external_id)
        .outerjoin(item, item.c.id == event.c.item_id)
        .where(event.c.run_id == run_id, event.c.number > number)
        .order_by(event.c.number)
        .limit(limit)
    )
    return (await connection.execute(statement)).all()
