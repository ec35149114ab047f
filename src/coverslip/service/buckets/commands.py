"""Making, finding, exchanging and revoking bucket keys."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.service.access.principal import Principal, Role
from coverslip.service.audit import queries as audit
from coverslip.service.buckets import queries
from coverslip.service.buckets.errors import BucketKeyNotFound
from coverslip.service.buckets.rules import may_revoke, new_access_key_id, new_secret_access_key
from coverslip.service.context import Context
from coverslip.service.database.rows import AnyRow
from coverslip.service.database.scope import PlatformScope


@dataclass(frozen=True)
class BucketKey:
    """A live key, and its secret."""

    access_key_id: str
    secret_access_key: str = field(repr=False)


@dataclass(frozen=True)
class KeyHolder:
    """Whose a live key is, and its secret."""

    principal: Principal
    secret_access_key: str = field(repr=False)


async def own_key(context: Context, principal: Principal) -> BucketKey:
    """The caller's key for their organization; it is made when it is first asked for."""
    async with context.database.transaction(principal.scope) as connection:
        return await _own_key(context, connection, principal)


async def _own_key(context: Context, connection: AsyncConnection, principal: Principal) -> BucketKey:
    while (row := await _live_key(connection, principal)) is None:
        access_key_id = new_access_key_id()
        inserted = await queries.insert_key(
            connection,
            access_key_id=access_key_id,
            organization_id=principal.organization_id,
            user_id=principal.user_id,
            secret_encrypted=context.cipher.encrypt(new_secret_access_key().encode()),
        )
        if inserted:
            await _record(connection, "bucket_key.created", principal, access_key_id, principal.organization_id)
    return BucketKey(row.access_key_id, context.cipher.decrypt(row.secret_encrypted).decode())


async def _live_key(connection: AsyncConnection, principal: Principal) -> AnyRow | None:
    return await queries.live_key(connection, organization_id=principal.organization_id, user_id=principal.user_id)


async def own_keys(context: Context, principal: Principal) -> Sequence[AnyRow]:
    """Every key of the caller, revoked ones too, newest first."""
    async with context.database.transaction(principal.scope) as connection:
        return await queries.keys_of_user(
            connection, organization_id=principal.organization_id, user_id=principal.user_id
        )


async def rotate_own_key(context: Context, principal: Principal) -> BucketKey:
    """Revoke the caller's key, if there is one, and make another."""
    async with context.database.transaction(principal.scope) as connection:
        row = await _live_key(connection, principal)
        if row is not None:
            await _revoke(connection, principal, row)
        return await _own_key(context, connection, principal)


async def revoke_key(context: Context, principal: Principal, access_key_id: str) -> None:
    """Revoke a key: what it signed is refused from now on. Its holder gets another one when they ask for it.

    Raises
    ------
    BucketKeyNotFound
        If there is no such live key that the caller may revoke.
    """
    async with context.database.transaction(principal.scope) as connection:
        row = await queries.lock_live_key(connection, access_key_id)
        if row is None or not may_revoke(principal, organization_id=row.organization_id, owner_id=row.user_id):
            raise BucketKeyNotFound
        await _revoke(connection, principal, row)


async def _revoke(connection: AsyncConnection, principal: Principal, row: AnyRow) -> None:
    await queries.revoke_key(connection, row.access_key_id)
    await _record(connection, "bucket_key.revoked", principal, row.access_key_id, row.organization_id)


async def _record(
    connection: AsyncConnection, action: str, principal: Principal, access_key_id: str, organization_id: str
) -> None:
    await audit.record(
        connection, action, subject=access_key_id, user_id=principal.user_id, organization_id=organization_id
    )


async def holder_of(context: Context, access_key_id: str) -> KeyHolder | None:
    """Who may sign with a key; None if it was revoked, its holder left or was disabled, or it never was."""
    async with context.database.transaction(PlatformScope()) as connection:
        row = await queries.key_holder(connection, access_key_id)
    if row is None:
        return None
    principal = Principal(user_id=row.user_id, organization_id=row.organization_id, role=Role(row.role))
    return KeyHolder(principal, context.cipher.decrypt(row.secret_encrypted).decode())
