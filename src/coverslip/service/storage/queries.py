"""SQL about the objects that users uploaded."""

from collections.abc import Collection, Sequence

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.service.artifacts.tables import input_artifact
from coverslip.service.database.rows import AnyRow
from coverslip.service.items.tables import item
from coverslip.service.lifecycle import State
from coverslip.service.paging import Page
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
    """Note whose an object is; noted again, nothing changes."""
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


async def objects_of_user(
    connection: AsyncConnection, *, organization_id: str, user_id: str, page: Page
) -> Sequence[AnyRow]:
    """What a user uploaded for an organization, newest first."""
    statement = (
        select(bucket_object)
        .where(bucket_object.c.organization_id == organization_id, bucket_object.c.user_id == user_id)
        .order_by(bucket_object.c.created_at.desc(), bucket_object.c.path)
    )
    return (await connection.execute(page.of(statement))).all()


async def lock_object(connection: AsyncConnection, *, path: str, organization_id: str, user_id: str) -> bool:
    """Lock an object that the user uploaded, against runs that begin to need it; False if there is none."""
    statement = (
        select(bucket_object.c.path)
        .where(
            bucket_object.c.path == path,
            bucket_object.c.organization_id == organization_id,
            bucket_object.c.user_id == user_id,
        )
        .with_for_update()
    )
    return (await connection.execute(statement)).first() is not None


async def is_needed(connection: AsyncConnection, path: str) -> bool:
    """Whether an unfinished item has the object as its input."""
    statement = (
        select(input_artifact.c.id)
        .join(item, item.c.id == input_artifact.c.item_id)
        .where(input_artifact.c.object_path == path, item.c.state != State.TERMINATED)
        .limit(1)
    )
    return (await connection.execute(statement)).first() is not None


async def forget_object(connection: AsyncConnection, path: str) -> None:
    await connection.execute(delete(bucket_object).where(bucket_object.c.path == path))
