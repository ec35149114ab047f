"""SQL about uploads that are not complete."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.service.database.rows import AnyRow
from coverslip.service.storage.tables import upload


async def begin_upload(
    connection: AsyncConnection,
    *,
    path: str,
    organization_id: str,
    user_id: str,
    size_bytes: int,
    checksum_base64_crc32c: str,
    part_size_bytes: int,
) -> AnyRow:
    """Begin an upload, or go on with the one of the same file: its path holds its owner, size and checksum."""
    statement = insert(upload).values(
        id=uuid4(),
        path=path,
        organization_id=organization_id,
        user_id=user_id,
        size_bytes=size_bytes,
        checksum_base64_crc32c=checksum_base64_crc32c,
        part_size_bytes=part_size_bytes,
    )
    statement = statement.on_conflict_do_update(index_elements=["path"], set_={"touched_at": func.now()})
    row: AnyRow = (await connection.execute(statement.returning(upload))).one()
    return row


async def upload_by_id(
    connection: AsyncConnection, upload_id: UUID, *, user_id: str, lock: bool = False
) -> AnyRow | None:
    """An upload of the user; with ``lock``, nobody else completes or drops it meanwhile."""
    statement = select(upload).where(upload.c.id == upload_id, upload.c.user_id == user_id)
    if lock:
        statement = statement.with_for_update()
    return (await connection.execute(statement)).one_or_none()


async def delete_upload(
    connection: AsyncConnection, upload_id: UUID, *, untouched_since: datetime | None = None
) -> None:
    """Forget an upload; with ``untouched_since``, only if nobody has gone on with it since then."""
    statement = delete(upload).where(upload.c.id == upload_id)
    if untouched_since is not None:
        statement = statement.where(upload.c.touched_at == untouched_since)
    await connection.execute(statement)


async def abandoned_uploads(connection: AsyncConnection, lifetime: timedelta) -> Sequence[AnyRow]:
    """Uploads that nobody went on with."""
    statement = select(upload).where(upload.c.touched_at <= func.now() - lifetime)
    return (await connection.execute(statement)).all()
