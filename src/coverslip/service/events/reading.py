"""The events of a run, as its readers may see them."""

from dataclasses import dataclass
from uuid import UUID

from coverslip.contract.events import RunEvent
from coverslip.service.access.principal import Principal
from coverslip.service.access.reading import find_reading
from coverslip.service.context import Context
from coverslip.service.events import queries
from coverslip.service.lifecycle import State
from coverslip.service.runs.errors import RunNotFound


@dataclass(frozen=True)
class EventPage:
    """Some events of a run.

    Attributes
    ----------
    last
        The number after which to go on.
    is_full
        There may be more already.
    is_last
        The run has ended, and these are its last events.
    """

    events: list[RunEvent]
    last: int
    is_full: bool
    is_last: bool


async def read_events(
    context: Context, principal: Principal, run_id: UUID, share_token: str | None, *, after: int, limit: int
) -> EventPage:
    """The events after number ``after``, at most ``limit``.

    Raises
    ------
    RunNotFound
        If the caller may not read the whole run.
    """
    # The run first: if it has ended here, all its events are seen below.
    reading = await find_reading(context, principal, run_id, share_token)
    if not reading.parts.whole:
        raise RunNotFound
    async with context.database.transaction(reading.scope) as connection:
        rows = await queries.events_after(connection, run_id, after, limit=limit)
    events = [
        RunEvent(
            number=row.number,
            kind=row.kind,
            item_id=row.item_id,
            external_id=row.external_id,
            occurred_at=row.occurred_at,
            payload=row.payload,
        )
        for row in rows
    ]
    is_full = len(events) == limit
    return EventPage(
        events,
        last=events[-1].number if events else after,
        is_full=is_full,
        is_last=reading.run.state == State.TERMINATED and not is_full,
    )
