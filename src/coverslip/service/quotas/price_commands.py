"""Reading price lists, and setting them: each change an audit row with what was there before."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.quotas import PriceList, SlidePrice
from coverslip.service.access.principal import Principal
from coverslip.service.audit import queries as audit
from coverslip.service.catalog import queries as catalog
from coverslip.service.context import Context
from coverslip.service.organizations.administration import require_administrator, require_super_administrator
from coverslip.service.quotas import usage_queries as queries
from coverslip.service.quotas.errors import PricesRefused
from coverslip.service.quotas.price_rules import faults_of_prices
from coverslip.service.quotas.queries import hold_quotas


async def read_prices(context: Context, principal: Principal, organization_id: str) -> PriceList:
    """What applications cost an organization, for its administrators.

    Raises
    ------
    OrganizationNotFound, Forbidden
    """
    async with context.database.transaction(principal.scope) as connection:
        await require_administrator(connection, principal, organization_id)
        return PriceList(prices=await queries.prices(connection, organization_id))


async def set_prices(context: Context, principal: Principal, organization_id: str, new: PriceList) -> PriceList:
    """Replace the price list of an organization, for what succeeds from now on.

    Raises
    ------
    OrganizationNotFound, Forbidden, PricesRefused
    """
    async with context.database.transaction(principal.scope) as connection:
        await require_super_administrator(connection, principal, organization_id)
        if faults := faults_of_prices(new.prices, await _known(connection, new.prices)):
            raise PricesRefused(faults="; ".join(faults))
        await hold_quotas(connection, organization_id)
        before = await queries.prices(connection, organization_id)
        await queries.replace_prices(connection, organization_id, new.prices)
        await audit.record(
            connection,
            "prices.changed",
            subject=organization_id,
            user_id=principal.user_id,
            organization_id=organization_id,
            before=PriceList(prices=before).model_dump(),
            after=new.model_dump(),
        )
        return PriceList(prices=await queries.prices(connection, organization_id))


async def _known(connection: AsyncConnection, prices: Sequence[SlidePrice]) -> set[tuple[str, str | None]]:
    """Those applications and versions with a price that there are."""
    ids = {price.application_id for price in prices}
    versions = {(row.application_id, row.number) for row in await catalog.versions(connection, sorted(ids))}
    return versions | {(application_id, None) for application_id, _ in versions}
