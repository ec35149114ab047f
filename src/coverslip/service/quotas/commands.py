"""Reading quotas, and setting them: each change an audit row with what was there before."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.quotas import (
    OrganizationBalances,
    OrganizationLimits,
    OrganizationQuotasResponse,
    QuotasReadResponse,
    UserBalances,
    UserLimits,
    UserQuotasResponse,
)
from coverslip.service.access.principal import Principal
from coverslip.service.access.rules import OrganizationRuns, OwnRuns, own_runs
from coverslip.service.audit import queries as audit
from coverslip.service.context import Context
from coverslip.service.identity import queries as identity
from coverslip.service.organizations.administration import require_administrator, require_super_administrator
from coverslip.service.organizations.errors import MemberNotFound
from coverslip.service.quotas import queries
from coverslip.service.quotas.balances import balances_of


async def read_own(context: Context, principal: Principal) -> QuotasReadResponse:
    """The quotas that hold for the caller."""
    async with context.database.transaction(principal.scope) as connection:
        organization = await _organization(context, connection, principal.organization_id)
        user = await _user(connection, own_runs(principal))
    return QuotasReadResponse(organization=organization.balances, user=user.balances)


async def read_organization(context: Context, principal: Principal, organization_id: str) -> OrganizationQuotasResponse:
    """The quotas of an organization, for its administrators.

    Raises
    ------
    OrganizationNotFound, Forbidden
    """
    async with context.database.transaction(principal.scope) as connection:
        await require_administrator(connection, principal, organization_id)
        return await _organization(context, connection, organization_id)


async def set_organization(
    context: Context, principal: Principal, organization_id: str, limits: OrganizationLimits
) -> OrganizationQuotasResponse:
    """Replace the quotas of an organization.

    Raises
    ------
    OrganizationNotFound, Forbidden
    """
    async with context.database.transaction(principal.scope) as connection:
        await require_super_administrator(connection, principal, organization_id)
        await queries.hold_quotas(connection, organization_id)
        before = await queries.organization_limits(connection, organization_id)
        await queries.save_organization_limits(connection, organization_id, limits.model_dump())
        await _record(connection, principal, organization_id, organization_id, before, limits)
        return await _organization(context, connection, organization_id)


async def read_user(context: Context, principal: Principal, organization_id: str, user_id: str) -> UserQuotasResponse:
    """The quotas of a user, for administrators of the organization.

    Raises
    ------
    OrganizationNotFound, MemberNotFound, Forbidden
    """
    async with context.database.transaction(principal.scope) as connection:
        await _require_member(connection, principal, organization_id, user_id)
        return await _user(connection, OwnRuns(organization_id, user_id))


async def set_user(
    context: Context, principal: Principal, organization_id: str, user_id: str, limits: UserLimits
) -> UserQuotasResponse:
    """Replace the quotas of a user.

    Raises
    ------
    OrganizationNotFound, MemberNotFound, Forbidden
    """
    async with context.database.transaction(principal.scope) as connection:
        await _require_member(connection, principal, organization_id, user_id)
        await queries.hold_quotas(connection, organization_id)
        before = await queries.user_limits(connection, organization_id, user_id)
        await queries.save_user_limits(connection, organization_id, user_id, limits.model_dump())
        await _record(connection, principal, user_id, organization_id, before, limits)
        return await _user(connection, OwnRuns(organization_id, user_id))


async def _require_member(
    connection: AsyncConnection, principal: Principal, organization_id: str, user_id: str
) -> None:
    await require_administrator(connection, principal, organization_id)
    if await identity.member(connection, user_id=user_id, organization_id=organization_id) is None:
        raise MemberNotFound


async def _organization(
    context: Context, connection: AsyncConnection, organization_id: str
) -> OrganizationQuotasResponse:
    limits = await queries.organization_limits(connection, organization_id)
    most = context.settings.max_items_per_run
    slides_per_run = most if limits.slides_per_run is None else min(limits.slides_per_run, most)
    in_force = limits.model_copy(update={"slides_per_run": slides_per_run})
    balances = await balances_of(connection, OrganizationRuns(organization_id), in_force, datetime.now(UTC))
    return OrganizationQuotasResponse(
        organization_id=organization_id, limits=limits, balances=OrganizationBalances(**balances)
    )


async def _user(connection: AsyncConnection, holder: OwnRuns) -> UserQuotasResponse:
    limits = await queries.user_limits(connection, holder.organization_id, holder.user_id)
    balances = await balances_of(connection, holder, limits, datetime.now(UTC))
    return UserQuotasResponse(
        organization_id=holder.organization_id,
        user_id=holder.user_id,
        limits=limits,
        balances=UserBalances(**balances),
    )


async def _record(
    connection: AsyncConnection,
    principal: Principal,
    subject: str,
    organization_id: str,
    before: UserLimits,
    after: UserLimits,
) -> None:
    await audit.record(
        connection,
        "quotas.changed",
        subject=subject,
        user_id=principal.user_id,
        organization_id=organization_id,
        before=before.model_dump(),
        after=after.model_dump(),
    )
