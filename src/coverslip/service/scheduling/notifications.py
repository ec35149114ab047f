"""Waking waiting workers as soon as there is work, in every service process, through PostgreSQL's LISTEN."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator

from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.service.database.engine import Database
from coverslip.service.database.notifications import listen, notify

_CHANNEL = "coverslip_work"
_RECONNECT_S = 1.0

log = logging.getLogger(__name__)


class WorkNotifier:
    """Tells waiting requests that an item may have become ready.

    A notification may be missed (a connection lost, an item whose back-off ends), so waiting always has a limit.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: set[asyncio.Event] = set()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to listen."""
        self._task = asyncio.create_task(self._listen(), name="work-notifier")

    async def stop(self) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def announce(self, connection: AsyncConnection) -> None:
        """Wake every waiting worker when the transaction of ``connection`` commits."""
        await notify(connection, _CHANNEL)

    @contextlib.contextmanager
    def watch(self) -> Iterator[asyncio.Event]:
        """An event that is set at each announcement from now on; the waiter clears it before it looks for work."""
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            yield event
        finally:
            self._waiting.discard(event)

    async def _listen(self) -> None:
        while True:
            try:
                async with contextlib.aclosing(listen(self._database, _CHANNEL)) as notifications:
                    async for _ in notifications:
                        self._wake()
            except asyncio.CancelledError:
                raise
            except Exception:
                log.warning("lost the connection that listens for work; connecting again", exc_info=True)
                await asyncio.sleep(_RECONNECT_S)

    def _wake(self) -> None:
        for event in self._waiting:
            event.set()
