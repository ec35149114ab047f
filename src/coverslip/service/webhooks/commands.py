"""Registering webhooks, changing them, trying them: each an audit row."""

from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.webhooks import WebhookCreateRequest, WebhookDisabledReason, WebhookUpdateRequest
from coverslip.service.access.principal import Principal
from coverslip.service.access.rules import AllRuns
from coverslip.service.audit import queries as audit
from coverslip.service.context import Context
from coverslip.service.database.notifications import DELIVERIES, notify
from coverslip.service.database.rows import AnyRow
from coverslip.service.database.scope import PlatformScope
from coverslip.service.errors import Forbidden
from coverslip.service.runs.queries import lock_run
from coverslip.service.webhooks import delivery_queries as deliveries
from coverslip.service.webhooks import queries
from coverslip.service.webhooks.errors import (
    DeliveryNotFound,
    TooManyWebhooks,
    WebhookDisabled,
    WebhookNotFound,
    WebhookUrlRefused,
)
from coverslip.service.webhooks.messages import ping
from coverslip.service.webhooks.rules import (
    KEPT,
    MOST_WEBHOOKS,
    OLD_SECRET_LIFETIME,
    fault_of_url,
    may_register,
    reachable_webhooks,
)
from coverslip.service.webhooks.secrets import make_secret, signing_secrets
from coverslip.service.webhooks.sending import Attempt


async def create(context: Context, principal: Principal, request: WebhookCreateRequest) -> tuple[AnyRow, str]:
    """Register a webhook; returns it and its secret, which is shown once.

    Raises
    ------
    Forbidden, WebhookUrlRefused, TooManyWebhooks
    """
    if not may_register(principal, request.scope):
        raise Forbidden(needed="being an administrator to register a webhook for all runs of the organization")
    _require_reachable(context, request.url)
    secret, encrypted = make_secret(context.cipher)
    async with context.database.transaction(principal.scope) as connection:
        count = await queries.count_of_owner(
            connection,
            organization_id=principal.organization_id,
            scope=request.scope,
            user_id=principal.user_id,
        )
        if count >= MOST_WEBHOOKS:
            raise TooManyWebhooks(most=MOST_WEBHOOKS)
        webhook = await queries.insert_webhook(
            connection,
            {
                "id": uuid4(),
                "organization_id": principal.organization_id,
                "scope": request.scope,
                "created_by": principal.user_id,
                "url": request.url,
                "event_kinds": request.event_kinds,
                "description": request.description,
                "secret_encrypted": encrypted,
            },
        )
        await _record(connection, principal, "webhook.created", webhook, scope=webhook.scope)
    return webhook, secret


async def change(context: Context, principal: Principal, webhook_id: UUID, request: WebhookUpdateRequest) -> AnyRow:
    """Change what the request names. Enabled again, a webhook goes on with what waits for it.

    Raises
    ------
    WebhookNotFound, WebhookUrlRefused
    """
    given = request.model_dump(exclude_unset=True)
    values = {name: value for name, value in given.items() if value is not None or name == "event_kinds"}
    if request.url is not None:
        _require_reachable(context, request.url)
    enabled = values.pop("enabled", None)
    if enabled is not None:
        values["disabled_reason"] = None if enabled else WebhookDisabledReason.BY_USER
        values["failing_since"] = None
    async with context.database.transaction(principal.scope) as connection:
        if not values:
            return await _find(connection, principal, webhook_id)
        webhook = await queries.update_webhook(connection, webhook_id, reachable_webhooks(principal), values)
        if webhook is None:
            raise WebhookNotFound
        await _record(connection, principal, "webhook.changed", webhook, changed=sorted(given))
        if enabled:
            await notify(connection, DELIVERIES)
    return webhook


async def delete(context: Context, principal: Principal, webhook_id: UUID) -> None:
    """Delete a webhook, and whatever still waits for it.

    Raises
    ------
    WebhookNotFound
    """
    async with context.database.transaction(principal.scope) as connection:
        webhook = await queries.delete_webhook(connection, webhook_id, reachable_webhooks(principal))
        if webhook is None:
            raise WebhookNotFound
        await _record(connection, principal, "webhook.deleted", webhook)


async def rotate_secret(context: Context, principal: Principal, webhook_id: UUID) -> tuple[AnyRow, str]:
    """Give a webhook a new secret; for a day its messages are signed with the previous one too.

    Raises
    ------
    WebhookNotFound
    """
    secret, encrypted = make_secret(context.cipher)
    async with context.database.transaction(principal.scope) as connection:
        webhook = await queries.replace_secret(
            connection,
            webhook_id,
            reachable_webhooks(principal),
            secret_encrypted=encrypted,
            previous_for=OLD_SECRET_LIFETIME,
        )
        if webhook is None:
            raise WebhookNotFound
        await _record(connection, principal, "webhook.secret_rotated", webhook)
    return webhook, secret


async def send_ping(context: Context, principal: Principal, webhook_id: UUID) -> Attempt:
    """Send a message about nothing, once, whether the webhook is enabled or not.

    Raises
    ------
    WebhookNotFound
    """
    webhook = await find(context, principal, webhook_id)
    return await context.sender.send(webhook.url, ping(), signing_secrets(context.cipher, webhook))


async def redeliver(context: Context, principal: Principal, webhook_id: UUID, delivery_id: UUID) -> None:
    """Send an event again now, whatever became of it.

    Raises
    ------
    WebhookNotFound, DeliveryNotFound, WebhookDisabled
    """
    async with context.database.transaction(principal.scope) as connection:
        webhook = await _find(connection, principal, webhook_id)
        if webhook.disabled_reason is not None:
            raise WebhookDisabled
        run_id = await deliveries.run_of_delivery(connection, webhook_id, delivery_id)
        if run_id is None:
            raise DeliveryNotFound
        # Who changes a line holds its run.
        await lock_run(connection, run_id, AllRuns())
        await deliveries.send_again(connection, delivery_id)


async def forget_old_deliveries(context: Context) -> None:
    """Delete the deliveries that have been kept long enough."""
    async with context.database.transaction(PlatformScope()) as connection:
        await deliveries.forget_old(connection, KEPT)


async def find(context: Context, principal: Principal, webhook_id: UUID) -> AnyRow:
    """A webhook that the caller may see.

    Raises
    ------
    WebhookNotFound
    """
    async with context.database.transaction(principal.scope) as connection:
        return await _find(connection, principal, webhook_id)


async def _find(connection: AsyncConnection, principal: Principal, webhook_id: UUID) -> AnyRow:
    webhook = await queries.webhook_by_id(connection, webhook_id, reachable_webhooks(principal))
    if webhook is None:
        raise WebhookNotFound
    return webhook


def _require_reachable(context: Context, url: str) -> None:
    if (fault := fault_of_url(url, context.sender.allowed)) is not None:
        raise WebhookUrlRefused(fault=fault)


async def _record(
    connection: AsyncConnection, principal: Principal, action: str, webhook: AnyRow, **details: Any
) -> None:
    # Of its address only the host: the rest may be as good as a password.
    await audit.record(
        connection,
        action,
        subject=str(webhook.id),
        user_id=principal.user_id,
        organization_id=webhook.organization_id,
        host=httpx.URL(webhook.url).host,
        **details,
    )
