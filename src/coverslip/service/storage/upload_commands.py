"""Beginning, completing and dropping uploads."""

from datetime import timedelta
from uuid import UUID

from coverslip.contract.fields import MAX_URL_LENGTH
from coverslip.contract.uploads import UploadCreateRequest, UploadPart
from coverslip.service.access.principal import Principal
from coverslip.service.context import Context
from coverslip.service.database.rows import AnyRow
from coverslip.service.database.scope import PlatformScope
from coverslip.service.quotas.balances import require_room_for_file
from coverslip.service.storage import queries, upload_queries
from coverslip.service.storage.errors import (
    ChecksumDiffers,
    ObjectKeyInvalid,
    ObjectNotFound,
    PartsMissing,
    PartUnknown,
    SizeDiffers,
    UploadNotFound,
)
from coverslip.service.storage.multipart import multipart
from coverslip.service.storage.store import Area, ObjectKey, content_name
from coverslip.service.storage.upload_rules import key_of_upload, part_size, parts_of, parts_prefix


async def begin(context: Context, principal: Principal, request: UploadCreateRequest) -> AnyRow:
    """Begin to send a file, or go on with it.

    The key holds size and checksum of the file, so another file of the same name never overwrites it.

    Raises
    ------
    ObjectKeyInvalid
        If the name cannot be part of a key.
    QuotaExceeded
        If the bucket of the organization has no room for it.
    """
    content = content_name(request.size_bytes, request.checksum_base64_crc32c)
    key = ObjectKey(Area.INPUTS, f"{principal.organization_id}/{principal.user_id}/{content}/{request.name}")
    if len(download_url(context, key.path)) > MAX_URL_LENGTH:
        raise ObjectKeyInvalid(path=request.name, fault="its URL would be too long; use a shorter name")
    async with context.database.transaction(principal.scope) as connection:
        await queries.touch_object(connection, key.path)
        await require_room_for_file(connection, principal.organization_id, path=key.path, size_bytes=request.size_bytes)
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


async def is_complete(context: Context, principal: Principal, upload: AnyRow) -> bool:
    """Whether the object is in the bucket already."""
    async with context.database.transaction(principal.scope) as connection:
        known = await queries.paths_of_organization(
            connection, organization_id=upload.organization_id, paths=[upload.path]
        )
    return bool(known) and await _is_stored(context, upload)


async def _is_stored(context: Context, upload: AnyRow) -> bool:
    stat = await context.store.stat(ObjectKey(Area.INPUTS, upload.path))
    return stat is not None and stat.size_bytes == upload.size_bytes


async def missing_parts(context: Context, upload: AnyRow) -> list[UploadPart]:
    """The parts that have not arrived; none if the object has been made of them."""
    # A service that was killed may have made it without noting it: completing the upload does the rest.
    return [] if await _is_stored(context, upload) else await _unsent_parts(context, upload)


async def _unsent_parts(context: Context, upload: AnyRow) -> list[UploadPart]:
    parts = parts_of(upload.size_bytes, upload.part_size_bytes)
    return await multipart(context.store).missing(_prefix(upload), parts)


def sign_part(context: Context, upload: AnyRow, number: int, checksum_base64_crc32c: str) -> str:
    """Where to PUT one part.

    Raises
    ------
    PartUnknown
        If the upload has no such part.
    """
    parts = parts_of(upload.size_bytes, upload.part_size_bytes)
    if not 1 <= number <= len(parts):
        raise PartUnknown(number=number, last=len(parts))
    return multipart(context.store).sign(
        _prefix(upload),
        parts[number - 1],
        expires_in_s=context.settings.result_url_lifetime_s,
        checksum_base64_crc32c=checksum_base64_crc32c,
    )


async def complete(context: Context, principal: Principal, upload_id: UUID) -> AnyRow:
    """Make the object of the parts that arrived; completed again, nothing changes.

    Raises
    ------
    UploadNotFound
    ObjectNotFound
        If the object was deleted meanwhile.
    PartsMissing
        Naming the parts that are still to be sent.
    ChecksumDiffers
        If the parts are not the file that was announced; they are deleted, so that it can be sent anew.
    """
    upload = await find(context, principal, upload_id)
    if not await _is_stored(context, upload):
        await _join(context, upload)
    async with context.database.transaction(principal.scope) as connection:
        await queries.remember_object(
            connection,
            path=upload.path,
            key=key_of_upload(upload.path, upload.organization_id),
            organization_id=upload.organization_id,
            user_id=upload.user_id,
            size_bytes=upload.size_bytes,
            checksum_base64_crc32c=upload.checksum_base64_crc32c,
        )
        if not await _is_stored(context, upload):
            raise ObjectNotFound
    await delete_parts(context, upload)
    return upload


async def _join(context: Context, upload: AnyRow) -> None:
    try:
        missing = await _unsent_parts(context, upload)
        if missing:
            raise PartsMissing(numbers=", ".join(str(part.number) for part in missing[:20]))
        await multipart(context.store).join(
            _prefix(upload),
            parts_of(upload.size_bytes, upload.part_size_bytes),
            ObjectKey(Area.INPUTS, upload.path),
            size_bytes=upload.size_bytes,
            checksum_base64_crc32c=upload.checksum_base64_crc32c,
        )
    except (SizeDiffers, ChecksumDiffers):
        await delete_parts(context, upload)
        raise
    except (PartsMissing, ObjectNotFound):
        if not await _is_stored(context, upload):  # by another request, meanwhile
            raise


async def drop(context: Context, principal: Principal, upload_id: UUID) -> None:
    """Forget an upload and delete what has arrived of it.

    Raises
    ------
    UploadNotFound
    """
    upload = await find(context, principal, upload_id)
    # Its row goes last: if the service is killed before that, the sweep still knows of the parts.
    await delete_parts(context, upload)
    async with context.database.transaction(principal.scope) as connection:
        await upload_queries.delete_upload(connection, upload.id)


async def drop_abandoned(context: Context) -> None:
    """Drop the uploads that nobody went on with, and forget those that have been completed long ago."""
    lifetime = timedelta(seconds=context.settings.upload_lifetime_s)
    async with context.database.transaction(PlatformScope()) as connection:
        abandoned = await upload_queries.abandoned_uploads(connection, lifetime)
    for upload in abandoned:
        await delete_parts(context, upload)
        async with context.database.transaction(PlatformScope()) as connection:
            await upload_queries.delete_upload(connection, upload.id, untouched_since=upload.touched_at)


async def delete_parts(context: Context, upload: AnyRow) -> None:
    """Delete the parts of an upload."""
    await multipart(context.store).drop(_prefix(upload))


def _prefix(upload: AnyRow) -> str:
    return parts_prefix(upload.organization_id, upload.id)
