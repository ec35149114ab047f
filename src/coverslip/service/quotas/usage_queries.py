"""SQL about prices, and what was processed and charged."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, ColumnElement, and_, delete, func, insert, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.quotas import SlidePrice
from coverslip.service.access.rules import OrganizationRuns, OwnRuns
from coverslip.service.database.rows import AnyRow
from coverslip.service.items.tables import item
from coverslip.service.quotas.tables import slide_price, slide_usage
from coverslip.service.runs.tables import run

_PRICE = [slide_price.c[name] for name in SlidePrice.model_fields]


async def prices(connection: AsyncConnection, organization_id: str) -> list[SlidePrice]:
    """The price list of an organization."""
    order = (slide_price.c.application_id, slide_price.c.version_number.nulls_first())
    statement = select(*_PRICE).where(slide_price.c.organization_id == organization_id).order_by(*order)
    return [SlidePrice(**row._mapping) for row in (await connection.execute(statement)).all()]


async def replace_prices(connection: AsyncConnection, organization_id: str, new: Sequence[SlidePrice]) -> None:
    await connection.execute(delete(slide_price).where(slide_price.c.organization_id == organization_id))
    if new:
        rows = [{"organization_id": organization_id, **dict(price)} for price in new]
        await connection.execute(insert(slide_price), rows)


async def prices_of_version(
    connection: AsyncConnection, organization_id: str, application_id: str, version_number: str
) -> list[SlidePrice]:
    """The prices that fit a version: its own, and that of all versions."""
    statement = select(*_PRICE).where(_fits(organization_id, application_id, version_number))
    return [SlidePrice(**row._mapping) for row in (await connection.execute(statement)).all()]


async def prices_of_run(connection: AsyncConnection, run_id: UUID) -> list[SlidePrice]:
    """The prices that fit the version of a run."""
    fits = _fits(run.c.organization_id, run.c.application_id, run.c.version_number)
    statement = select(*_PRICE).join(run, fits).where(run.c.id == run_id)
    return [SlidePrice(**row._mapping) for row in (await connection.execute(statement)).all()]


def _fits(
    organization_id: str | Column[str], application_id: str | Column[str], version_number: str | Column[str]
) -> ColumnElement[bool]:
    return and_(
        slide_price.c.organization_id == organization_id,
        slide_price.c.application_id == application_id,
        or_(slide_price.c.version_number.is_(None), slide_price.c.version_number == version_number),
    )


async def insert_usage(
    connection: AsyncConnection, item_id: UUID, price: SlidePrice | None, *, is_reused: bool
) -> None:
    """Write down that a slide succeeded now, and what it costs."""
    facts = {
        slide_usage.c.item_id: item.c.id,
        slide_usage.c.organization_id: run.c.organization_id,
        slide_usage.c.user_id: run.c.submitted_by,
        slide_usage.c.application_id: run.c.application_id,
        slide_usage.c.version_number: run.c.version_number,
        slide_usage.c.is_reused: literal(is_reused),
        slide_usage.c.amount: literal(price.amount if price else None, slide_usage.c.amount.type),
        slide_usage.c.currency: literal(price.currency if price else None, slide_usage.c.currency.type),
    }
    source = select(*facts.values()).join(run, run.c.id == item.c.run_id).where(item.c.id == item_id)
    await connection.execute(insert(slide_usage).from_select(list(facts), source))


async def usage(
    connection: AsyncConnection, scope: OrganizationRuns | OwnRuns, first: datetime, last: datetime
) -> Sequence[AnyRow]:
    """What succeeded from one instant to another, both included: a row for each month, application, user, currency."""
    month = func.to_char(func.timezone("UTC", slide_usage.c.succeeded_at), "YYYY-MM").label("month")
    group = (month, slide_usage.c.application_id, slide_usage.c.user_id, slide_usage.c.currency)
    conditions = [
        slide_usage.c.organization_id == scope.organization_id,
        slide_usage.c.succeeded_at.between(first, last),
    ]
    if isinstance(scope, OwnRuns):
        conditions.append(slide_usage.c.user_id == scope.user_id)
    statement = (
        select(
            *group,
            func.count().label("slides"),
            func.count().filter(slide_usage.c.is_reused).label("reused_slides"),
            func.sum(slide_usage.c.amount).label("amount"),
        )
        .where(*conditions)
        .group_by(*group)
        .order_by(*group)
    )
    return (await connection.execute(statement)).all()
