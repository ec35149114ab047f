"""SQL about bucket keys."""

from collections.abc import Sequence

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.service.buckets.tables import bucket_key
from coverslip.service.database.rows import AnyRow
from coverslip.service.identity.tables import user_account
from coverslip.service.organizations.tables import membership


async def live_key(connection: AsyncConnection, *, organization_id: str, user_id: str) -> AnyRow | None:
    """The key that a user has for an organization."""
    statement = select(bucket_key).where(
        bucket_key.c.organization_id == organization_id,
        bucket_key.c.user_id == user_id,
        bucket_key.c.revoked_at.is_(None),
    )
    return (await connection.execute(statement)).one_or_none()


async def insert_key(
    connection: AsyncConnection, *, access_key_id: str, organization_id: str, user_id: str, secret_encrypted: bytes
) -> bool:
    """Insert a key; False if the user has one already, for which a transaction beside this one is waited for."""
    statement = (
        insert(bucket_key)
        .values(
            access_key_id=access_key_id,
            organization_id=organization_id,
            user_id=user_id,
            secret_encrypted=secret_encrypted,
        )
        .on_conflict_do_nothing()
        .returning(bucket_key.c.access_key_id)
    )
    return (await connection.execute(statement)).one_or_none() is not None


async def keys_of_user(connection: AsyncConnection, *, organization_id: str, user_id: str) -> Sequence[AnyRow]:
    """Every key that a user has and had for an organization, newest first."""
    statement = (
        select(bucket_key)
        .where(bucket_key.c.organization_id == organization_id, bucket_key.c.user_id == user_id)
        .order_by(bucket_key.c.created_at.desc(), bucket_key.c.access_key_id)
    )
    return (await connection.execute(statement)).all()


async def lock_live_key(connection: AsyncConnection, access_key_id: str) -> AnyRow | None:
    statement = select(bucket_key).where(bucket_key.c.access_key_id == access_key_id, bucket_key.c.revoked_at.is_(None))
    return (await connection.execute(statement.with_for_update())).one_or_none()


async def revoke_key(connection: AsyncConnection, access_key_id: str) -> None:
    await connection.execute(
        update(bucket_key).where(bucket_key.c.access_key_id == access_key_id).values(revoked_at=func.now())
    )


async def key_holder(connection: AsyncConnection, access_key_id: str) -> AnyRow | None:
    """A live key with the role of its holder, who is a member still and not disabled."""
    statement = (
        select(bucket_key.c.organization_id, bucket_key.c.user_id, bucket_key.c.secret_encrypted, membership.c.role)
        .join(user_account, user_account.c.id == bucket_key.c.user_id)
        .join(
            membership,
            (membership.c.user_id == bucket_key.c.user_id)
            & (membership.c.organization_id == bucket_key.c.organization_id),
        )
        .where(
            bucket_key.c.access_key_id == access_key_id,
            bucket_key.c.revoked_at.is_(None),
            user_account.c.disabled_at.is_(None),
        )
    )
    return (await connection.execute(statement)).one_or_none()
