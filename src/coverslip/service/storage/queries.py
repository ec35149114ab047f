"""SQL about the objects that users uploaded."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.service.storage.tables import bucket_object


async def remember_object(
    connection: AsyncConnection,
    *,
    path: str,
    organization_id: str,
    user_id: str,
    size_bytes: int,
    checksum_base64_crc32c: str,
) -> None:
    """Note who is about to upload an object; the same object announced again changes nothing."""
    await connection.execute(
        insert(bucket_object)
        .values(
            path=path,
            organization_id=organization_id,
            user_id=user_id,
            size_bytes=size_bytes,
            checksum_base64_crc32c=checksum_base64_crc32c,
        )
        .on_conflict_do_nothing()
    )


async def paths_of_organization(
    connection: AsyncConnection, *, organization_id: str, paths: Collection[str]
) -> frozenset[str]:
    """Those of ``paths`` that are objects of the organization."""
    statement = select(bucket_object.c.path).where(
        bucket_object.c.organization_id == organization_id, bucket_object.c.path.in_(paths)
    )
    return frozenset((await connection.execute(statement)).scalars())
