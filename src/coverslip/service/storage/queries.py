"""SQL about the objects that users uploaded."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import Column, ColumnElement, and_, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.service.artifacts.tables import input_artifact
from coverslip.service.database.rows import AnyRow
from coverslip.service.items.tables import item
from coverslip.service.lifecycle import State
from coverslip.service.paging import Page
from coverslip.service.storage.tables import bucket_object, upload


async def remember_object(
    connection: AsyncConnection,
    *,
    path: str,
    key: str,
    organization_id: str,
    user_id: str,
    size_bytes: int,
    checksum_base64_crc32c: str,
) -> None:
    """Note whose an object is; one that was taken out of the bucket is in it again. Until the transaction ends, it is
    not deleted."""
    statement = insert(bucket_object).values(
        path=path,
        key=key,
        organization_id=organization_id,
        user_id=user_id,
        size_bytes=size_bytes,
        checksum_base64_crc32c=checksum_base64_crc32c,
    )
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["path"], set_={"key": key, "idle_since": func.now()})
    )


async def paths_of_organization(
    connection: AsyncConnection, *, organization_id: str, paths: Collection[str]
) -> frozenset[str]:
    """Those of ``paths`` that are objects of the organization."""
    statement = select(bucket_object.c.path).where(_among(organization_id, paths))
    return frozenset((await connection.execute(statement)).scalars())


async def hold_objects(connection: AsyncConnection, *, organization_id: str, paths: Collection[str]) -> frozenset[str]:
    """As ``paths_of_organization``; until the transaction ends, none of them is deleted or replaced."""
    statement = select(bucket_object.c.path).where(_among(organization_id, paths))
    statement = statement.order_by(bucket_object.c.path).with_for_update(read=True)
    return frozenset((await connection.execute(statement)).scalars())


def _among(organization_id: str, paths: Collection[str]) -> ColumnElement[bool]:
    return and_(
        bucket_object.c.organization_id == organization_id,
        bucket_object.c.path.in_(paths),
        bucket_object.c.key.is_not(None),
    )


async def objects_of_user(
    connection: AsyncConnection, *, organization_id: str, user_id: str, page: Page
) -> Sequence[AnyRow]:
    """What a user uploaded for an organization, newest first."""
    statement = (
        select(bucket_object)
        .where(
            bucket_object.c.organization_id == organization_id,
            bucket_object.c.user_id == user_id,
            bucket_object.c.key.is_not(None),
        )
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
            bucket_object.c.key.is_not(None),
        )
        .with_for_update()
    )
    return (await connection.execute(statement)).first() is not None


async def is_needed(connection: AsyncConnection, path: str) -> bool:
    """Whether an unfinished item has the object as its input."""
    return bool((await connection.execute(select(_needed(path)))).scalar_one())


def _needed(path: str | Column[str]) -> ColumnElement[bool]:
    return (
        select(input_artifact.c.id)
        .join(item, item.c.id == input_artifact.c.item_id)
        .where(input_artifact.c.object_path == path, item.c.state != State.TERMINATED)
        .exists()
    )


async def keyless_objects(connection: AsyncConnection, lifetime: timedelta) -> Sequence[str]:
    """The paths of old objects that have no key and that no unfinished run needs."""
    statement = select(bucket_object.c.path).where(
        bucket_object.c.key.is_(None),
        bucket_object.c.created_at <= func.now() - lifetime,
        ~_needed(bucket_object.c.path),
    )
    return (await connection.execute(statement)).scalars().all()


async def touch_object(connection: AsyncConnection, path: str) -> None:
    """Note that somebody sends an object again."""
    await connection.execute(
        update(bucket_object)
        .where(bucket_object.c.path == path, bucket_object.c.key.is_not(None))
        .values(idle_since=func.now())
    )


async def idle_objects(connection: AsyncConnection, lifetime: timedelta, *, limit: int) -> Sequence[str]:
    """The paths of objects in the bucket that nobody has sent for so long; runs may have used them."""
    statement = (
        select(bucket_object.c.path)
        .where(bucket_object.c.key.is_not(None), bucket_object.c.idle_since <= func.now() - lifetime)
        .order_by(bucket_object.c.idle_since)
        .limit(limit)
    )
    return (await connection.execute(statement)).scalars().all()


async def lock_in_bucket(connection: AsyncConnection, path: str) -> AnyRow | None:
    """Lock an object that has a key, against runs that begin to need it."""
    statement = select(bucket_object).where(bucket_object.c.path == path, bucket_object.c.key.is_not(None))
    return (await connection.execute(statement.with_for_update())).one_or_none()


async def is_idle(connection: AsyncConnection, path: str, lifetime: timedelta) -> bool:
    """Whether neither somebody nor a run has used a locked object for so long.

    Its last use by a run is noted, so that it is not looked at again before that is long ago too.
    """
    used_by_runs = (
        select(func.max(func.coalesce(item.c.terminated_at, func.now())))
        .join(input_artifact, input_artifact.c.item_id == item.c.id)
        .where(input_artifact.c.object_path == path)
        .scalar_subquery()
    )
    statement = (
        update(bucket_object)
        .where(bucket_object.c.path == path)
        .values(idle_since=func.greatest(bucket_object.c.idle_since, used_by_runs))
        .returning(bucket_object.c.idle_since <= func.now() - lifetime)
    )
    return bool((await connection.execute(statement)).scalar_one())


async def take_key(connection: AsyncConnection, path: str) -> None:
    """Take an object out of the bucket; it is deleted as soon as no unfinished run needs it."""
    await connection.execute(update(bucket_object).where(bucket_object.c.path == path).values(key=None))


async def lock_keyless(connection: AsyncConnection, path: str) -> bool:
    """Lock an object, against getting a key again; False if it has one, or an unfinished run needs it."""
    statement = (
        select(bucket_object.c.path)
        .where(bucket_object.c.path == path, bucket_object.c.key.is_(None), ~_needed(path))
        .with_for_update()
    )
    return (await connection.execute(statement)).first() is not None


async def forget_object(connection: AsyncConnection, path: str) -> None:
    """Forget an object, and the upload by which it came: sent again, it is a new one."""
    await connection.execute(delete(upload).where(upload.c.path == path))
    await connection.execute(delete(bucket_object).where(bucket_object.c.path == path))
