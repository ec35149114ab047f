"""Transactions on PostgreSQL.

Every transaction names its scope. The scope is told to PostgreSQL with ``SET LOCAL`` semantics, so that the policies
of the tables hold even where a query forgot its own condition.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import URL, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from coverslip.service.database.scope import OrganizationScope, Scope

_SET_SCOPE = text(
    "select set_config('coverslip.organization', :organization, true), set_config('coverslip.reach', :reach, true), "
    "set_config('coverslip.user', :user, true), set_config('coverslip.share_token', :share_token, true)"
)


def psycopg_url(url: str) -> URL:
    """Give a ``postgresql://`` URL the driver that Coverslip uses."""
    return make_url(url).set(drivername="postgresql+psycopg")


async def _enter(connection: AsyncConnection, scope: Scope) -> None:
    values = {"organization": "", "reach": "platform", "user": "", "share_token": ""}
    if isinstance(scope, OrganizationScope):
        values = {
            "organization": scope.organization_id,
            "reach": "organization",
            "user": scope.user_id,
            "share_token": scope.share_token_hash.hex(),
        }
    await connection.execute(_SET_SCOPE, values)


class Database:
    """Two pools: the service's role for everything, the reader's role for filters that users write."""

    def __init__(self, url: str, *, reader_url: str | None = None, pool_size: int = 10) -> None:
        # pre_ping: after PostgreSQL was restarted, the first request must not fail on a dead connection.
        self._engine = create_async_engine(psycopg_url(url), pool_size=pool_size, pool_pre_ping=True)
        self._reader: AsyncEngine = self._engine
        if reader_url is not None:
            self._reader = create_async_engine(psycopg_url(reader_url), pool_size=2, max_overflow=4, pool_pre_ping=True)

    @asynccontextmanager
    async def transaction(self, scope: Scope) -> AsyncIterator[AsyncConnection]:
        """One read-write transaction: committed at the end, rolled back on any exception."""
        async with self._engine.begin() as connection:
            await _enter(connection, scope)
            yield connection

    @asynccontextmanager
    async def filtering(self, scope: Scope, timeout_ms: int) -> AsyncIterator[AsyncConnection]:
        """One read-only transaction of the reader's role, in which no statement outlasts ``timeout_ms``."""
        async with self._reader.begin() as connection:
            await connection.execute(text("set transaction read only"))
            await connection.execute(text(f"set local statement_timeout = {int(timeout_ms)}"))
            await _enter(connection, scope)
            yield connection

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncConnection]:
        """A connection held for long, in autocommit: for LISTEN and advisory locks."""
        async with self._engine.connect() as connection:
            yield await connection.execution_options(isolation_level="AUTOCOMMIT")

    async def close(self) -> None:
        """Close both pools."""
        await self._engine.dispose()
        if self._reader is not self._engine:
            await self._reader.dispose()
