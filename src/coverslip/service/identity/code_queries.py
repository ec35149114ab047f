"""SQL about authorization codes."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.service.database.rows import AnyRow
from coverslip.service.identity.authorization_request import AuthorizationRequest
from coverslip.service.identity.tables import authorization_code


async def insert_code(
    connection: AsyncConnection,
    request: AuthorizationRequest,
    *,
    code_hash: bytes,
    user_id: str,
    organization_id: str | None,
    lifetime: timedelta,
) -> None:
    """Add a code; one without an organization is worth nothing until the person has chosen one."""
    await connection.execute(
        insert(authorization_code).values(
            code_hash=code_hash,
            client_id=request.client_id,
            redirect_uri=request.redirect_uri,
            code_challenge=request.code_challenge,
            scope=request.scope,
            state=request.state,
            nonce=request.nonce,
            user_id=user_id,
            organization_id=organization_id,
            expires_at=func.now() + lifetime,
        )
    )


async def code_to_complete(connection: AsyncConnection, code_hash: bytes) -> AnyRow | None:
    """A code that still waits for its organization, locked; None if there is none."""
    statement = (
        select(authorization_code)
        .where(
            authorization_code.c.code_hash == code_hash,
            authorization_code.c.organization_id.is_(None),
            authorization_code.c.expires_at > func.now(),
        )
        .with_for_update()
    )
    return (await connection.execute(statement)).one_or_none()


async def complete_code(
    connection: AsyncConnection, code_hash: bytes, *, organization_id: str, lifetime: timedelta
) -> None:
    """Give a code its organization and, from now, its lifetime."""
    await connection.execute(
        update(authorization_code)
        .where(authorization_code.c.code_hash == code_hash)
        .values(organization_id=organization_id, expires_at=func.now() + lifetime)
    )


async def code(connection: AsyncConnection, code_hash: bytes) -> AnyRow | None:
    """A code with the column ``expired``; the row is locked, so that the code is redeemed once."""
    statement = (
        select(authorization_code, (authorization_code.c.expires_at <= func.now()).label("expired"))
        .where(authorization_code.c.code_hash == code_hash)
        .with_for_update()
    )
    return (await connection.execute(statement)).one_or_none()


async def redeem_code(connection: AsyncConnection, code_hash: bytes, session_id: UUID) -> None:
    """Note which session a code gave."""
    await connection.execute(
        update(authorization_code).where(authorization_code.c.code_hash == code_hash).values(session_id=session_id)
    )


async def delete_old_codes(connection: AsyncConnection, age: timedelta) -> None:
    """Forget the codes that expired longer than ``age`` ago."""
    await connection.execute(delete(authorization_code).where(authorization_code.c.expires_at < func.now() - age))
