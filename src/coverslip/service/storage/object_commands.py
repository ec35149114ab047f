"""Deleting objects."""

from datetime import timedelta

from coverslip.service.access.principal import Principal
from coverslip.service.audit import queries as audit
from coverslip.service.context import Context
from coverslip.service.database.scope import PlatformScope
from coverslip.service.storage import queries
from coverslip.service.storage.errors import ObjectInUse, ObjectNotFound
from coverslip.service.storage.store import Area, ObjectKey


async def delete_object(context: Context, principal: Principal, path: str) -> None:
    """Delete an object that the caller uploaded.

    Raises
    ------
    ObjectNotFound
        If the caller has uploaded no such object.
    ObjectInUse
        If an unfinished run needs it.
    """
    async with context.database.transaction(principal.scope) as connection:
        found = await queries.lock_object(
            connection, path=path, organization_id=principal.organization_id, user_id=principal.user_id
        )
        if not found:
            raise ObjectNotFound
        if await queries.is_needed(connection, path):
            raise ObjectInUse
        await queries.take_key(connection, path)
        await audit.record(
            connection,
            "object.deleted",
            subject=path,
            user_id=principal.user_id,
            organization_id=principal.organization_id,
        )
    await drop_object(context, path)


async def delete_idle_object(context: Context, path: str) -> None:
    """Delete an object that nobody has used for as long as objects are kept."""
    lifetime = timedelta(days=context.settings.bucket_retention_days)
    async with context.database.transaction(PlatformScope()) as connection:
        row = await queries.lock_in_bucket(connection, path)
        if row is None or not await queries.is_idle(connection, path, lifetime):
            return
        await queries.take_key(connection, path)
        await audit.record(connection, "object.expired", subject=path, organization_id=row.organization_id, key=row.key)
    await drop_object(context, path)


async def drop_object(context: Context, path: str) -> None:
    """Delete an object that has no key, unless an unfinished run needs it.

    Its row goes last: if the service is killed before that, the sweep still knows of the object.
    """
    async with context.database.transaction(PlatformScope()) as connection:
        if await queries.lock_keyless(connection, path):
            await context.store.delete(ObjectKey(Area.INPUTS, path))
            await queries.forget_object(connection, path)


async def drop_keyless(context: Context) -> None:
    """Delete what was replaced or deleted while a run needed it, and what a killed service was receiving or
    deleting."""
    lifetime = timedelta(seconds=context.settings.upload_lifetime_s)
    async with context.database.transaction(PlatformScope()) as connection:
        paths = await queries.keyless_objects(connection, lifetime)
    for path in paths:
        await drop_object(context, path)
