"""Adding users to organizations."""

from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.service.access.principal import Role
from coverslip.service.organizations import queries
from coverslip.service.quotas.balances import require_room_for_user


async def add_member(connection: AsyncConnection, *, user_id: str, organization_id: str, role: Role) -> None:
    """Make a user a member of an organization.

    Raises
    ------
    QuotaExceeded
        If the organization may have no more users.
    """
    await require_room_for_user(connection, organization_id)
    await queries.insert_membership(connection, user_id=user_id, organization_id=organization_id, role=role)
