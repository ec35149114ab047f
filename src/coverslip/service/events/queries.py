"""SQL about events."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.service.events.tables import event


@dataclass(frozen=True)
class NewEvent:
    """Something that happened to a run, or to one of its items."""

    kind: str
    item_id: UUID | None = None
    payload: dict[str, Any] = field(default_factory=dict)


async def append(
    connection: AsyncConnection, *, run_id: UUID, organization_id: str, last: int, events: Sequence[NewEvent]
) -> int:
    """Append events after number ``last``, whose run row the caller has locked; returns the new last number."""
    rows = [
        {
            "run_id": run_id,
            "organization_id": organization_id,
            "number": number,
            "kind": new.kind,
            "item_id": new.item_id,
            "payload": new.payload,
        }
        for number, new in enumerate(events, start=last + 1)
    ]
    if rows:
        await connection.execute(insert(event), rows)
    return last + len(rows)
