"""What requests of the dialect do to the objects of a bucket."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.service.access.principal import Principal
from coverslip.service.audit import queries as audit
from coverslip.service.buckets.rules import may_remove
from coverslip.service.context import Context
from coverslip.service.database.rows import AnyRow
from coverslip.service.quotas.balances import require_room_for_bytes
from coverslip.service.quotas.errors import QuotaExceeded
from coverslip.service.s3 import queries
from coverslip.service.s3.body import Body
from coverslip.service.s3.errors import (
    AccessDenied,
    DialectError,
    NoSuchKey,
    PreconditionFailed,
    StorageQuotaExceeded,
)
from coverslip.service.s3.listing import ListPage, ListRequest, first_behind, list_page
from coverslip.service.storage import queries as objects
from coverslip.service.storage.object_commands import drop_object
from coverslip.service.storage.store import Area, ObjectKey
from coverslip.service.storage.upload_rules import UPLOADS_FOLDER

_PATH_BYTES = 16


@dataclass(frozen=True)
class Bucket:
    """The bucket of the caller's organization, as the caller may use it."""

    context: Context
    principal: Principal

    async def find(self, key: str) -> AnyRow:
        """An object.

        Raises
        ------
        NoSuchKey
        """
        async with self.context.database.transaction(self.principal.scope) as connection:
            row = await self._row(connection, key)
        if row is None:
            raise NoSuchKey
        return row

    async def open(self, row: AnyRow, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes of an object from ``start`` up to, not including, ``end``."""
        async for chunk in self.context.store.open_range(_place(row.path), start, end):
            yield chunk

    async def list(self, request: ListRequest) -> ListPage:
        """A page of the objects, whoever put them there."""
        end = first_behind(request.prefix)

        async def fetch(after: str, start: str, limit: int) -> "list[AnyRow]":
            async with self.context.database.transaction(self.principal.scope) as connection:
                rows = await queries.objects_after(
                    connection,
                    organization_id=self.principal.organization_id,
                    prefix=request.prefix,
                    after=after,
                    start=start,
                    end=end,
                    limit=limit,
                )
            return list(rows)

        return await list_page(request, fetch)

    async def put(self, key: str, body: Body, *, only_new: bool) -> AnyRow:
        """Make an object of the body, in place of the one that has the key now; returns it.

        A run that was submitted with the earlier content keeps it: that is deleted after the run.

        Raises
        ------
        AccessDenied
            If the object that has the key is somebody else's.
        PreconditionFailed
            If there is one, and ``only_new`` forbids it.
        StorageQuotaExceeded
            If the bucket has no room for it.
        BodyIncomplete, DigestDiffers
            If the body is not what was announced.
        """
        if key.startswith(UPLOADS_FOLDER):
            raise AccessDenied(reason=f"below {UPLOADS_FOLDER} are files that Coverslip's own client uploads")
        organization_id, user_id = self.principal.organization_id, self.principal.user_id
        path = f"{organization_id}/{user_id}/{secrets.token_hex(_PATH_BYTES)}"
        async with self.context.database.transaction(self.principal.scope) as connection:
            earlier = await self._replaceable(connection, key, only_new)
            await self._require_room(connection, body.announced_bytes, earlier)
            await queries.insert_incoming(connection, path=path, organization_id=organization_id, user_id=user_id)
        try:
            await self.context.store.write(_place(path), body.chunks())
        except BaseException:
            await drop_object(self.context, path)
            raise
        try:
            async with self.context.database.transaction(self.principal.scope) as connection:
                await queries.hold_key(connection, organization_id=organization_id, key=key)
                earlier = await self._replaceable(connection, key, only_new)
                await self._require_room(connection, body.size_bytes, earlier)
                if earlier is not None:
                    await self._remove(connection, earlier, "object.replaced")
                row = await queries.give_key(
                    connection,
                    path,
                    key=key,
                    size_bytes=body.size_bytes,
                    checksum_base64_crc32c=body.checksum_base64_crc32c,
                    md5_hex=body.md5_hex,
                )
        except DialectError:
            await drop_object(self.context, path)
            raise
        # Should the database fail instead, nobody knows whether it has the object: if not, it is swept.
        if earlier is not None:
            await drop_object(self.context, earlier.path)
        return row

    async def _replaceable(self, connection: AsyncConnection, key: str, only_new: bool) -> AnyRow | None:
        row = await self._row(connection, key, lock=True)
        if row is not None and only_new:
            raise PreconditionFailed
        if row is not None and not may_remove(self.principal, row.user_id):
            raise AccessDenied(reason="somebody else of your organization has put an object there")
        return row

    async def _require_room(self, connection: AsyncConnection, size_bytes: int, earlier: AnyRow | None) -> None:
        # What is replaced goes, at the latest when no run needs it any more.
        added_bytes = size_bytes - (earlier.size_bytes if earlier is not None else 0)
        try:
            await require_room_for_bytes(connection, self.principal.organization_id, added_bytes)
        except QuotaExceeded as error:
            raise StorageQuotaExceeded(reason=error) from None

    async def delete(self, key: str) -> None:
        """Delete an object; that there is none is no error. One that an unfinished run needs is deleted after it.

        Raises
        ------
        AccessDenied
            If it is somebody else's, and the caller no administrator.
        """
        async with self.context.database.transaction(self.principal.scope) as connection:
            row = await self._row(connection, key, lock=True)
            if row is None:
                return
            if not may_remove(self.principal, row.user_id):
                raise AccessDenied(reason="somebody else of your organization has put this object there")
            await self._remove(connection, row, "object.deleted")
        await drop_object(self.context, row.path)

    async def _row(self, connection: AsyncConnection, key: str, *, lock: bool = False) -> AnyRow | None:
        return await queries.object_by_key(
            connection, organization_id=self.principal.organization_id, key=key, lock=lock
        )

    async def _remove(self, connection: AsyncConnection, row: AnyRow, action: str) -> None:
        await audit.record(
            connection,
            action,
            subject=row.path,
            user_id=self.principal.user_id,
            organization_id=row.organization_id,
            key=row.key,
        )
        await objects.take_key(connection, row.path)


def _place(path: str) -> ObjectKey:
    return ObjectKey(Area.INPUTS, path)
