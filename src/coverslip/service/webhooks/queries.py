"""SQL about webhooks."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Interval, and_, delete, false, func, insert, select, type_coerce, update
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.webhooks import WebhookDisabledReason, WebhookScope
from coverslip.service.database.rows import AnyRow
from coverslip.service.paging import Page
from coverslip.service.webhooks.rules import OrganizationWebhooks, OwnWebhooks, WebhookReach
from coverslip.service.webhooks.tables import webhook

previous_is_good = func.coalesce(webhook.c.previous_secret_until > func.now(), false()).label("previous_is_good")


def _within(reach: WebhookReach) -> ColumnElement[bool]:
    match reach:
        case OwnWebhooks(organization_id, user_id):
            return and_(
                webhook.c.organization_id == organization_id,
                webhook.c.scope == WebhookScope.OWN_RUNS,
                webhook.c.created_by == user_id,
            )
        case OrganizationWebhooks(organization_id):
            return webhook.c.organization_id == organization_id


async def insert_webhook(connection: AsyncConnection, values: Mapping[str, Any]) -> AnyRow:
    """Insert a webhook; returns it."""
    row: AnyRow = (await connection.execute(insert(webhook).values(**values).returning(webhook))).one()
    return row


async def count_of_owner(
    connection: AsyncConnection, *, organization_id: str, scope: WebhookScope, user_id: str
) -> int:
    """How many webhooks the organization has for all its runs, or the user for their own."""
    statement = select(func.count()).where(webhook.c.organization_id == organization_id, webhook.c.scope == scope)
    if scope is WebhookScope.OWN_RUNS:
        statement = statement.where(webhook.c.created_by == user_id)
    return int((await connection.execute(statement)).scalar_one())


async def webhooks(connection: AsyncConnection, reach: WebhookReach, page: Page) -> Sequence[AnyRow]:
    """The webhooks within ``reach``, newest first."""
    statement = select(webhook).where(_within(reach)).order_by(webhook.c.created_at.desc(), webhook.c.id)
    return (await connection.execute(page.of(statement))).all()


async def webhook_by_id(connection: AsyncConnection, webhook_id: UUID, reach: WebhookReach) -> AnyRow | None:
    """A webhook, and whether its previous secret is still good."""
    statement = select(webhook, previous_is_good).where(webhook.c.id == webhook_id, _within(reach))
    return (await connection.execute(statement)).one_or_none()


async def update_webhook(
    connection: AsyncConnection, webhook_id: UUID, reach: WebhookReach, values: Mapping[str, Any]
) -> AnyRow | None:
    """Change a webhook; returns it, None if there is none within ``reach``."""
    statement = update(webhook).where(webhook.c.id == webhook_id, _within(reach)).values(**values).returning(webhook)
    row: AnyRow | None = (await connection.execute(statement)).one_or_none()
    return row


async def replace_secret(
    connection: AsyncConnection,
    webhook_id: UUID,
    reach: WebhookReach,
    *,
    secret_encrypted: bytes,
    previous_for: timedelta,
) -> AnyRow | None:
    """Give a webhook a new secret, and let the present one be good for a while."""
    values = {
        "secret_encrypted": secret_encrypted,
        "previous_secret_encrypted": webhook.c.secret_encrypted,
        "previous_secret_until": func.now() + previous_for,
    }
    return await update_webhook(connection, webhook_id, reach, values)


async def delete_webhook(connection: AsyncConnection, webhook_id: UUID, reach: WebhookReach) -> AnyRow | None:
    """Delete a webhook with its deliveries; returns what it was."""
    statement = delete(webhook).where(webhook.c.id == webhook_id, _within(reach)).returning(webhook)
    return (await connection.execute(statement)).one_or_none()


async def hold(connection: AsyncConnection, webhook_id: UUID) -> bool:
    """Keep a webhook from being deleted until the transaction ends; False if it has been."""
    statement = select(webhook.c.id).where(webhook.c.id == webhook_id).with_for_update(read=True, key_share=True)
    return (await connection.execute(statement)).first() is not None


async def note_success(connection: AsyncConnection, webhook_id: UUID) -> None:
    await connection.execute(update(webhook).where(webhook.c.id == webhook_id).values(failing_since=None))


async def note_failure(connection: AsyncConnection, webhook_id: UUID) -> timedelta:
    """Note that an attempt failed; returns how long every one has."""
    failing_for = type_coerce(func.now() - webhook.c.failing_since, Interval)
    statement = (
        update(webhook)
        .where(webhook.c.id == webhook_id)
        .values(failing_since=func.coalesce(webhook.c.failing_since, func.now()))
        .returning(failing_for)
    )
    return (await connection.execute(statement)).scalar_one()


async def disable(connection: AsyncConnection, webhook_id: UUID, reason: WebhookDisabledReason) -> bool:
    """Disable a webhook; False if it was already."""
    statement = (
        update(webhook)
        .where(webhook.c.id == webhook_id, webhook.c.disabled_reason.is_(None))
        .values(disabled_reason=reason)
    )
    return bool((await connection.execute(statement)).rowcount)
