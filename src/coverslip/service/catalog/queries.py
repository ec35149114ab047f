"""SQL about applications and versions."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.service.catalog.tables import application, application_version
from coverslip.service.database.rows import AnyRow
from coverslip.service.paging import Page, SortOrder

APPLICATION_SORT: Mapping[str, ColumnElement[Any]] = {
    "application_id": application.c.id,
    "name": application.c.name,
    "description": application.c.description,
    "regulatory_classes": application.c.regulatory_classes,
}


async def applications(connection: AsyncConnection, *, order: SortOrder, page: Page) -> Sequence[AnyRow]:
    statement = select(application).order_by(*order, application.c.id)
    return (await connection.execute(page.of(statement))).all()


async def application_by_id(connection: AsyncConnection, application_id: str) -> AnyRow | None:
    return (await connection.execute(select(application).where(application.c.id == application_id))).one_or_none()


async def versions(connection: AsyncConnection, application_ids: Sequence[str]) -> Sequence[AnyRow]:
    """Number and release time of every version of the applications."""
    statement = select(
        application_version.c.application_id, application_version.c.number, application_version.c.released_at
    ).where(application_version.c.application_id.in_(application_ids))
    return (await connection.execute(statement)).all()


async def version(connection: AsyncConnection, application_id: str, number: str) -> AnyRow | None:
    statement = select(application_version).where(
        application_version.c.application_id == application_id, application_version.c.number == number
    )
    return (await connection.execute(statement)).one_or_none()


async def resources_of(connection: AsyncConnection, versions: Sequence[tuple[str, str]]) -> Sequence[AnyRow]:
    """What an item of each of the versions, given by application and number, may use."""
    statement = select(
        application_version.c.application_id, application_version.c.number, application_version.c.resources
    )
    of_versions = tuple_(application_version.c.application_id, application_version.c.number).in_(versions)
    return (await connection.execute(statement.where(of_versions))).all()


async def upsert_application(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Register an application, or change what is said about it."""
    statement = insert(application).values(**values)
    changes = {name: statement.excluded[name] for name in values if name != "id"}
    await connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changes))


async def insert_version(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Register a version; one that is there already stays as it is."""
    await connection.execute(insert(application_version).values(**values).on_conflict_do_nothing())
