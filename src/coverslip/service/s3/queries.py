"""SQL about objects as clients of S3 know them: by their keys."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.service.database.rows import AnyRow
from coverslip.service.storage.tables import bucket_object


async def object_by_key(
    connection: AsyncConnection, *, organization_id: str, key: str, lock: bool = False
) -> AnyRow | None:
    """An object of the bucket; with ``lock``, no run begins to need it until the transaction ends."""
    statement = select(bucket_object).where(
        bucket_object.c.organization_id == organization_id, bucket_object.c.key == key
    )
    if lock:
        statement = statement.with_for_update()
    return (await connection.execute(statement)).one_or_none()


async def hold_key(connection: AsyncConnection, *, organization_id: str, key: str) -> None:
    """Until the transaction ends, nobody else gives this key to an object."""
    name = func.hashtextextended(f"{organization_id}/{key}", 2)
    await connection.execute(select(func.pg_advisory_xact_lock(name)))


async def insert_incoming(connection: AsyncConnection, *, path: str, organization_id: str, user_id: str) -> None:
    """Note that an object is on its way in: should nobody finish it, it is swept."""
    await connection.execute(
        insert(bucket_object).values(
            path=path, organization_id=organization_id, user_id=user_id, size_bytes=0, checksum_base64_crc32c=""
        )
    )


async def give_key(
    connection: AsyncConnection, path: str, *, key: str, size_bytes: int, checksum_base64_crc32c: str, md5_hex: str
) -> AnyRow:
    """Put an object that has arrived into the bucket; returns its row."""
    statement = (
        update(bucket_object)
        .where(bucket_object.c.path == path)
        .values(
            key=key,
            size_bytes=size_bytes,
            checksum_base64_crc32c=checksum_base64_crc32c,
            md5_hex=md5_hex,
            created_at=func.now(),
        )
        .returning(bucket_object)
    )
    row: AnyRow = (await connection.execute(statement)).one()
    return row


async def objects_after(
    connection: AsyncConnection,
    *,
    organization_id: str,
    prefix: str,
    after: str,
    start: str,
    end: str | None,
    limit: int,
) -> Sequence[AnyRow]:
    """The next objects of the bucket in the order of their keys.

    Parameters
    ----------
    after
        Only keys behind this one.
    start, end
        Only keys from the one up to, not including, the other; none is without end.
    """
    statement = select(
        bucket_object.c.key,
        bucket_object.c.size_bytes,
        bucket_object.c.md5_hex,
        bucket_object.c.checksum_base64_crc32c,
        bucket_object.c.created_at,
    ).where(
        bucket_object.c.organization_id == organization_id,
        bucket_object.c.key > after,
        bucket_object.c.key >= start,
        func.starts_with(bucket_object.c.key, prefix),
    )
    if end is not None:
        statement = statement.where(bucket_object.c.key < end)
    return (await connection.execute(statement.order_by(bucket_object.c.key).limit(limit))).all()


async def paths_by_key(
    connection: AsyncConnection, *, organization_id: str, keys: Collection[str]
) -> Mapping[str, str]:
    """The paths of those keys that are in the bucket."""
    statement = select(bucket_object.c.key, bucket_object.c.path).where(
        bucket_object.c.organization_id == organization_id, bucket_object.c.key.in_(keys)
    )
    return {row.key: row.path for row in (await connection.execute(statement)).all()}
