"""Beginning, completing and dropping uploads."""

import base64
from datetime import timedelta
from uuid import UUID

from coverslip.contract.fields import MAX_URL_LENGTH
from coverslip.contract.uploads import UploadCreateRequest, UploadPart
from coverslip.service.access.principal import Principal
from coverslip.service.context import Context
from coverslip.service.database.rows import AnyRow
from coverslip.service.database.scope import PlatformScope
from coverslip.service.storage import queries, upload_queries
from coverslip.service.storage.errors import ChecksumDiffers, ObjectKeyInvalid, PartsMissing, UploadNotFound
from coverslip.service.storage.store import Area, ObjectKey
from coverslip.service.storage.upload_rules import part_key, part_size, parts_of, parts_prefix


async def begin(context: Context, principal: Principal, request: UploadCreateRequest) -> AnyRow:
    """Begin to send a file, or go on with it.

    The key holds size and checksum of the file, so another file of the same name never overwrites it.

    Raises
    ------
    ObjectKeyInvalid
        If the name cannot be part of a key.
    """
    content = f"{base64.b64decode(request.checksum_base64_crc32c).hex()}-{request.size_bytes}"
    key = ObjectKey(Area.INPUTS, f"{principal.organization_id}/{principal.user_id}/{content}/{request.name}")
    if len(download_url(context, key.path)) > MAX_URL_LENGTH:
        raise ObjectKeyInvalid(path=request.name, fault="its URL would be too long; use a shorter name")
    async with context.database.transaction(principal.scope) as connection:
        return await upload_queries.begin_upload(
            connection,
            path=key.path,
            organization_id=principal.organization_id,
            user_id=principal.user_id,
            size_bytes=request.size_bytes,
            checksum_base64_crc32c=request.checksum_base64_crc32c,
            part_size_bytes=part_size(request.size_bytes, context.settings.upload_part_bytes),
        )


async def find(context: Context, principal: Principal, upload_id: UUID) -> AnyRow:
    """An upload of the caller.

    Raises
    ------
    UploadNotFound
    """
    async with context.database.transaction(principal.scope) as connection:
        row = await upload_queries.upload_by_id(connection, upload_id, user_id=principal.user_id)
    if row is None:
        raise UploadNotFound
    return row


def download_url(context: Context, path: str) -> str:
    """Where an object of the input area can be fetched, for as long as a run may wait for it."""
    return context.store.sign_get(ObjectKey(Area.INPUTS, path), expires_in_s=context.settings.input_url_lifetime_s)


async def is_complete(context: Context, upload: AnyRow) -> bool:
    """Whether the object is there already."""
    stat = await context.store.stat(ObjectKey(Area.INPUTS, upload.path))
    return stat is not None and stat.size_bytes == upload.size_bytes


async def missing_parts(context: Context, upload: AnyRow) -> list[UploadPart]:
    """The parts that have not arrived."""
    prefix = parts_prefix(upload.organization_id, upload.id)
    arrived = {stat.key.path: stat.size_bytes async for stat in context.store.list(Area.PARTS, prefix)}
    return [
        part
        for part in parts_of(upload.size_bytes, upload.part_size_bytes)
        if arrived.get(part_key(upload.organization_id, upload.id, part.number).path) != part.size_bytes
    ]


async def complete(context: Context, principal: Principal, upload_id: UUID) -> AnyRow:
    """Make the object of the parts that arrived; completed again, nothing changes.

    Raises
    ------
    UploadNotFound
    PartsMissing
        Naming the parts that are still to be sent.
    ChecksumDiffers
        If the parts are not the file that was announced; they are deleted, so that it can be sent anew.
    """
    upload = await find(context, principal, upload_id)
    key = ObjectKey(Area.INPUTS, upload.path)
    if not await is_complete(context, upload):
        missing = await missing_parts(context, upload)
        if missing:
            raise PartsMissing(numbers=", ".join(str(part.number) for part in missing[:20]))
        parts = parts_of(upload.size_bytes, upload.part_size_bytes)
        try:
            await context.store.join(
                [part_key(upload.organization_id, upload.id, part.number) for part in parts],
                key,
                size_bytes=upload.size_bytes,
                checksum_base64_crc32c=upload.checksum_base64_crc32c,
            )
        except ChecksumDiffers:
            await delete_parts(context, upload)
            raise
    async with context.database.transaction(principal.scope) as connection:
        await queries.remember_object(
            connection,
            path=upload.path,
            organization_id=upload.organization_id,
            user_id=upload.user_id,
            size_bytes=upload.size_bytes,
            checksum_base64_crc32c=upload.checksum_base64_crc32c,
        )
    await delete_parts(context, upload)
    return upload


async def drop(context: Context, principal: Principal, upload_id: UUID) -> None:
    """Forget an upload and delete what has arrived of it.

    Raises
    ------
    UploadNotFound
    """
    upload = await find(context, principal, upload_id)
    async with context.database.transaction(principal.scope) as connection:
        await upload_queries.delete_upload(connection, upload.id)
    await delete_parts(context, upload)


async def drop_abandoned(context: Context) -> None:
    """Drop the uploads that nobody went on with, and forget those that have been completed long ago."""
    lifetime = timedelta(seconds=context.settings.upload_lifetime_s)
    async with context.database.transaction(PlatformScope()) as connection:
        dropped = await upload_queries.drop_abandoned(connection, lifetime)
    for upload in dropped:
        await delete_parts(context, upload)


async def delete_parts(context: Context, upload: AnyRow) -> None:
    """Delete the parts of an upload."""
    async for stat in context.store.list(Area.PARTS, parts_prefix(upload.organization_id, upload.id)):
        await context.store.delete(stat.key)
