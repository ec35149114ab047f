"""SQL about release documents."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.documents import VersionDocumentVisibility
from coverslip.service.database.rows import AnyRow
from coverslip.service.documents.tables import version_document


async def documents(
    connection: AsyncConnection,
    application_id: str,
    version_number: str,
    visible: Collection[VersionDocumentVisibility],
) -> Sequence[AnyRow]:
    """The documents of a version that somebody may see, by name."""
    statement = (
        select(version_document)
        .where(
            version_document.c.application_id == application_id,
            version_document.c.version_number == version_number,
            version_document.c.visibility.in_(visible),
        )
        .order_by(version_document.c.name)
    )
    return (await connection.execute(statement)).all()


async def upsert_document(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Register a document, or change what has changed of it."""
    statement = insert(version_document).values(**values)
    changes = {name: statement.excluded[name] for name in ("mime_type", "visibility", "object_path")}
    differs = or_(*(version_document.c[name] != value for name, value in changes.items()))
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["id"], set_={**changes, "updated_at": func.now()}, where=differs
        )
    )


async def delete_others(
    connection: AsyncConnection, application_id: str, version_number: str, names: Collection[str]
) -> None:
    """Forget the documents of a version that have none of these names."""
    await connection.execute(
        delete(version_document).where(
            version_document.c.application_id == application_id,
            version_document.c.version_number == version_number,
            version_document.c.name.not_in(names),
        )
    )
