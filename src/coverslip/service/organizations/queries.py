"""SQL about organizations and memberships."""

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.service.organizations.tables import membership, organization


async def exists(connection: AsyncConnection, organization_id: str) -> bool:
    statement = select(organization.c.id).where(organization.c.id == organization_id)
    return (await connection.execute(statement)).first() is not None


async def insert_organization(
    connection: AsyncConnection, *, organization_id: str, name: str, display_name: str
) -> None:
    await connection.execute(insert(organization).values(id=organization_id, name=name, display_name=display_name))


async def insert_membership(connection: AsyncConnection, *, user_id: str, organization_id: str, role: str) -> None:
    await connection.execute(insert(membership).values(user_id=user_id, organization_id=organization_id, role=role))
