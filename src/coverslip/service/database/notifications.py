"""PostgreSQL's NOTIFY and LISTEN."""

from collections.abc import AsyncGenerator
from typing import Any, cast

import psycopg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.service.database.engine import Database


async def notify(connection: AsyncConnection, channel: str) -> None:
    """Tell whoever listens to ``channel`` when the transaction of ``connection`` commits."""
    await connection.execute(text(f"notify {channel}"))


async def listen(database: Database, channel: str) -> AsyncGenerator[None, None]:
    """Yield once when listening to ``channel`` has begun, then for each notification; holds a connection meanwhile."""
    async with database.session() as connection:
        raw = await connection.get_raw_connection()
        driver = cast("psycopg.AsyncConnection[Any]", raw.driver_connection)
        await driver.execute(f"listen {channel}")
        yield
        async for _ in driver.notifies():
            yield
