"""Who may see and change what an organization has."""

from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.service.access.principal import Principal, Role
from coverslip.service.access.rules import OrganizationRuns, runs_of_organization
from coverslip.service.errors import Forbidden
from coverslip.service.organizations import queries
from coverslip.service.organizations.errors import OrganizationNotFound


async def require_administrator(
    connection: AsyncConnection, principal: Principal, organization_id: str
) -> OrganizationRuns:
    """What the caller administers, if it is this organization.

    Raises
    ------
    OrganizationNotFound
        If it does not exist, or is not the caller's.
    Forbidden
        If the caller is a plain member of it.
    """
    administered = runs_of_organization(principal, organization_id)
    if administered is None and principal.organization_id == organization_id:
        raise Forbidden(needed="being an administrator of the organization")
    if administered is None or not await queries.exists(connection, organization_id):
        raise OrganizationNotFound
    return administered


async def require_super_administrator(
    connection: AsyncConnection, principal: Principal, organization_id: str
) -> OrganizationRuns:
    """As `require_administrator`, for what only the operators of the platform may do.

    Raises
    ------
    OrganizationNotFound, Forbidden
    """
    administered = await require_administrator(connection, principal, organization_id)
    if principal.role is not Role.SUPER_ADMIN:
        raise Forbidden(needed="being a super administrator of the platform")
    return administered
