"""What slides cost: before they are processed, when they succeed, and in all."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.quotas import Cost, UsageResponse, UsageRow
from coverslip.service.access.rules import OrganizationRuns, OwnRuns
from coverslip.service.quotas import usage_queries as queries
from coverslip.service.quotas.price_rules import cost_of, price_of


async def record_success(connection: AsyncConnection, run_id: UUID, item_id: UUID, *, is_reused: bool = False) -> None:
    """Charge a slide, in the transaction in which it succeeds; ``is_reused`` if an earlier run's results are used.

    What is written is never changed: later prices hold for later slides.
    """
    price = None if is_reused else price_of(await queries.prices_of_run(connection, run_id))
    await queries.insert_usage(connection, item_id, price, is_reused=is_reused)


async def cost_of_slides(
    connection: AsyncConnection, organization_id: str, application_id: str, version_number: str, slides: int
) -> Cost | None:
    """What slides would cost now if all succeed; None if they are free."""
    prices = await queries.prices_of_version(connection, organization_id, application_id, version_number)
    return cost_of(price_of(prices), slides)


async def usage_between(
    connection: AsyncConnection, scope: OrganizationRuns | OwnRuns, first_day: date, last_day: date
) -> UsageResponse:
    """What was processed from one day to another, both included, in UTC."""
    first, last = (datetime.combine(day, at, UTC) for day, at in ((first_day, time.min), (last_day, time.max)))
    rows = await queries.usage(connection, scope, first, last)
    totals: dict[str, Decimal] = {}
    for row in rows:
        if row.currency is not None:
            totals[row.currency] = totals.get(row.currency, Decimal(0)) + row.amount
    return UsageResponse(
        organization_id=scope.organization_id,
        first_day=first_day,
        last_day=last_day,
        rows=[
            UsageRow(
                month=row.month,
                application_id=row.application_id,
                user_id=row.user_id,
                slides=row.slides,
                reused_slides=row.reused_slides,
                cost=Cost(amount=row.amount, currency=row.currency) if row.currency is not None else None,
            )
            for row in rows
        ],
        slides=sum(row.slides for row in rows),
        costs=[Cost(amount=amount, currency=currency) for currency, amount in sorted(totals.items())],
    )
