"""Server-Sent Events (HTML Standard, section 9.2): the events of a run while they happen."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from uuid import UUID

from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event
from starlette.types import Message, Send

from coverslip.contract.events import RunEvent
from coverslip.service.database.notifications import Notifications, events_of
from coverslip.service.events.reading import EventPage
from coverslip.service.identity.errors import Unauthorized
from coverslip.service.runs.errors import RunNotFound

MEDIA_TYPE = "text/event-stream"
PAGE = 100
MOST_STREAMS = 20
"""Of one user at once: each is woken by every event of its run."""

_KEEP_ALIVE_S = 15.0  # below the idle limits of common proxies, 60 s and more
_LONGEST_S = 3600.0  # then the client comes again, with a token that must be valid then
_SLOWEST_S = 60.0  # a client that takes nothing for so long is not waited for any more

log = logging.getLogger(__name__)


class EventStream(StreamingResponse):
    """Sends what a generator yields, and closes it when the client has gone or takes nothing any more."""

    media_type = MEDIA_TYPE

    def __init__(self, frames: AsyncGenerator[bytes], readers: Counter[str], reader: str) -> None:
        """``readers`` counts the open streams of each user; this one is ``reader``'s."""
        # Proxies (nginx) that collect answers would hold events back.
        super().__init__(frames, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._frames = frames
        self._readers = readers
        self._reader = reader

    async def stream_response(self, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(_SLOWEST_S):
                await send(message)

        self._readers[self._reader] += 1
        try:
            async with contextlib.aclosing(self._frames):
                await super().stream_response(send_in_time)
        except TimeoutError:
            log.info("a reader of events took nothing for %.0f s and is given up", _SLOWEST_S)
        finally:
            self._readers[self._reader] -= 1
            if not self._readers[self._reader]:
                del self._readers[self._reader]


async def frames(
    notifications: Notifications, run_id: UUID, page: EventPage, read_after: Callable[[int], Awaitable[EventPage]]
) -> AsyncGenerator[bytes]:
    """``page``, then the run's events as they happen, until it has ended. No database connection is held meanwhile."""
    loop = asyncio.get_running_loop()
    close_at = loop.time() + _LONGEST_S
    with notifications.watch(events_of(run_id)) as happened:
        # Nobody was notified of what happened between the reading of the first page and now.
        happened.set()
        while loop.time() < close_at:
            for event in page.events:
                yield _frame(event)
            if page.is_last:
                yield format_sse_event(comment="the run has ended")
                return
            while not page.is_full and (left_s := close_at - loop.time()) > 0:
                if await _is_set_within(happened, min(left_s, _KEEP_ALIVE_S)):
                    break
                yield format_sse_event(comment="keep-alive")
            happened.clear()
            try:
                page = await read_after(page.last)
            except (RunNotFound, Unauthorized):
                return  # somebody has taken the right to read it away, or the session is over
        yield format_sse_event(comment="come again")


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


def _frame(event: RunEvent) -> bytes:
    return format_sse_event(id=str(event.number), event=event.kind, data_str=event.model_dump_json())
