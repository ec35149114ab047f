"""Usage and prices over HTTP (extension API)."""

from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.exceptions import RequestValidationError

from coverslip.contract.quotas import PriceList, UsageResponse
from coverslip.service.access.rules import own_runs, runs_of_organization
from coverslip.service.context import ContextDep
from coverslip.service.identity.authentication import PrincipalDep
from coverslip.service.organizations.administration import require_administrator
from coverslip.service.quotas import price_commands
from coverslip.service.quotas.routes import FOR_ADMINISTRATORS
from coverslip.service.quotas.usage import usage_between

router = APIRouter(tags=["Usage and cost"])


def _days(
    first: Annotated[
        date | None, Query(alias="from", description="First day (UTC); the first of this month when absent")
    ] = None,
    last: Annotated[date | None, Query(alias="to", description="Last day (UTC), included; today when absent")] = None,
) -> tuple[date, date]:
    today = datetime.now(UTC).date()
    first, last = first or today.replace(day=1), last or today
    if last < first:
        message = f"must not be before the first day, {first}"
        raise RequestValidationError([{"loc": ("query", "to"), "msg": message, "type": "value_error"}])
    return first, last


Days = Annotated[tuple[date, date], Depends(_days)]


@router.get("/usage", operation_id="read_usage")
async def read_usage(context: ContextDep, principal: PrincipalDep, days: Days) -> UsageResponse:
    """The slides that were processed and what they cost, by month, application and user.

    Administrators see all of their organization, others what is their own.
    """
    scope = runs_of_organization(principal, principal.organization_id) or own_runs(principal)
    async with context.database.transaction(principal.scope) as connection:
        return await usage_between(connection, scope, *days)


@router.get(
    "/organizations/{organization_id}/usage", operation_id="read_organization_usage", responses=FOR_ADMINISTRATORS
)
async def read_organization_usage(
    organization_id: str, context: ContextDep, principal: PrincipalDep, days: Days
) -> UsageResponse:
    """The same for an organization, for its administrators."""
    async with context.database.transaction(principal.scope) as connection:
        scope = await require_administrator(connection, principal, organization_id)
        return await usage_between(connection, scope, *days)


@router.get("/organizations/{organization_id}/prices", operation_id="read_prices", responses=FOR_ADMINISTRATORS)
async def read_prices(organization_id: str, context: ContextDep, principal: PrincipalDep) -> PriceList:
    """What a slide costs an organization, by application, for its administrators. What has no price is free."""
    return await price_commands.read_prices(context, principal, organization_id)


@router.put(
    "/organizations/{organization_id}/prices",
    operation_id="set_prices",
    responses={**FOR_ADMINISTRATORS, 400: {"description": "Something in the list cannot have that price"}},
)
async def set_prices(
    organization_id: str, prices: PriceList, context: ContextDep, principal: PrincipalDep
) -> PriceList:
    """Replace the price list of an organization, for super administrators. It holds for slides that succeed later."""
    return await price_commands.set_prices(context, principal, organization_id, prices)
