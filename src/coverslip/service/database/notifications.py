"""PostgreSQL's NOTIFY and LISTEN: one connection of each service process listens for all of it.

A notification says that something of a topic has changed, and no more: whoever waits looks by itself.
"""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, cast
from uuid import UUID

import psycopg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.service.database.engine import Database

WORK = "work"
"""An item can be leased."""

DELIVERIES = "deliveries"
"""A webhook delivery can be sent."""

_CHANNEL = "coverslip"
_NOTIFY = text("select pg_notify(:channel, :topic)")
_RECONNECT_S = 1.0
_CHECK_AFTER_S = 30.0
_CHECK_LIMIT_S = 10.0

log = logging.getLogger(__name__)


def events_of(run_id: UUID) -> str:
    """The topic that the run has a new event."""
    return f"events {run_id}"


async def notify(connection: AsyncConnection, topic: str) -> None:
    """Wake whoever waits for ``topic``, in every service process, when the transaction of ``connection`` commits."""
    await connection.execute(_NOTIFY, {"channel": _CHANNEL, "topic": topic})


class Notifications:
    """Wakes those in this process who wait for a topic.

    Everybody is woken whenever the connection was lost and is there again, for what may have been missed meanwhile.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to listen."""
        self._task = asyncio.create_task(self._listen_for_ever(), name="notifications")

    async def stop(self) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    @contextlib.contextmanager
    def watch(self, topic: str) -> Iterator[asyncio.Event]:
        """An event that is set at each notification from now on; the waiter clears it before it looks."""
        event = asyncio.Event()
        self._waiting[topic].add(event)
        try:
            yield event
        finally:
            self._waiting[topic].discard(event)
            if not self._waiting[topic]:
                del self._waiting[topic]

    async def _listen_for_ever(self) -> None:
        while True:
            try:
                await self._listen()
            except Exception:
                log.warning("lost the connection that listens for notifications; connecting again", exc_info=True)
                await asyncio.sleep(_RECONNECT_S)

    async def _listen(self) -> None:
        async with self._database.session() as connection:
            try:
                raw = await connection.get_raw_connection()
                await self._wake_as_notified(cast("psycopg.AsyncConnection[Any]", raw.driver_connection))
            finally:
                # In the pool it would go on listening, for nobody.
                await connection.invalidate()

    async def _wake_as_notified(self, driver: "psycopg.AsyncConnection[Any]") -> None:
        await driver.execute(f"listen {_CHANNEL}")
        for topic in list(self._waiting):
            self._wake(topic)
        while True:
            async for notification in driver.notifies(timeout=_CHECK_AFTER_S):
                self._wake(notification.payload)
            # A connection that a network has silently dropped looks like one on which nothing happens.
            async with asyncio.timeout(_CHECK_LIMIT_S):
                await driver.execute("select 1")

    def _wake(self, topic: str) -> None:
        for event in self._waiting.get(topic, ()):
            event.set()
