"""SQL about sessions: each is a refresh token with an id by which it can be listed and ended."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.service.database.rows import AnyRow
from coverslip.service.identity.tables import refresh_token

_IS_ALIVE = (refresh_token.c.revoked_at.is_(None), refresh_token.c.expires_at > func.now())


async def insert_session(
    connection: AsyncConnection,
    *,
    token_hash: bytes,
    user_id: str,
    organization_id: str,
    client_id: str,
    scope: str,
    label: str | None,
    lifetime: timedelta,
) -> AnyRow:
    """Add a session and return it."""
    statement = (
        insert(refresh_token)
        .values(
            token_hash=token_hash,
            user_id=user_id,
            organization_id=organization_id,
            client_id=client_id,
            scope=scope,
            label=label,
            expires_at=func.now() + lifetime,
        )
        .returning(refresh_token)
    )
    session: AnyRow = (await connection.execute(statement)).one()
    return session


async def use_session(connection: AsyncConnection, token_hash: bytes) -> AnyRow | None:
    """The session of a refresh token, noting that it was used now; None if it has ended or never was."""
    statement = (
        update(refresh_token)
        .where(refresh_token.c.token_hash == token_hash, *_IS_ALIVE)
        .values(last_used_at=func.now())
        .returning(refresh_token)
    )
    session: AnyRow | None = (await connection.execute(statement)).one_or_none()
    return session


async def sessions_of(connection: AsyncConnection, user_id: str) -> Sequence[AnyRow]:
    """The sessions of a user that have not ended, the newest first."""
    statement = (
        select(refresh_token)
        .where(refresh_token.c.user_id == user_id, *_IS_ALIVE)
        .order_by(refresh_token.c.created_at.desc(), refresh_token.c.id)
    )
    return (await connection.execute(statement)).all()


async def session_by_token(connection: AsyncConnection, token_hash: bytes) -> AnyRow | None:
    """The session of a refresh token, also one that has ended."""
    return (
        await connection.execute(select(refresh_token).where(refresh_token.c.token_hash == token_hash))
    ).one_or_none()


async def end_session(connection: AsyncConnection, session_id: UUID, *, user_id: str | None = None) -> bool:
    """End a session, with ``user_id`` only if it is theirs; False if there was none to end."""
    statement = update(refresh_token).where(refresh_token.c.id == session_id, *_IS_ALIVE).values(revoked_at=func.now())
    if user_id is not None:
        statement = statement.where(refresh_token.c.user_id == user_id)
    return (await connection.execute(statement)).rowcount == 1
