"""Webhooks over HTTP (extension API)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, status

from coverslip.contract.webhooks import (
    DeliveryState,
    WebhookAttempt,
    WebhookCreateRequest,
    WebhookCreateResponse,
    WebhookDeliveryResponse,
    WebhookMessage,
    WebhookReadResponse,
    WebhookSecretResponse,
    WebhookUpdateRequest,
)
from coverslip.service.context import ContextDep
from coverslip.service.database.rows import AnyRow
from coverslip.service.identity.authentication import PrincipalDep
from coverslip.service.paging import Page
from coverslip.service.webhooks import commands, delivery_queries, queries
from coverslip.service.webhooks.rules import reachable_webhooks

router = APIRouter(prefix="/webhooks", tags=["Webhooks"])
messages = APIRouter()
"""What receivers get, for the document."""

_NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "Not there, or not yours"}}
_URL_REFUSED: dict[int | str, dict[str, Any]] = {400: {"description": "Nothing can be sent to this address"}}


def _fields(webhook: AnyRow) -> dict[str, Any]:
    return {
        "webhook_id": webhook.id,
        "url": webhook.url,
        "scope": webhook.scope,
        "event_kinds": webhook.event_kinds,
        "description": webhook.description,
        "enabled": webhook.disabled_reason is None,
        "disabled_reason": webhook.disabled_reason,
        "failing_since": webhook.failing_since,
        "created_by": webhook.created_by,
        "created_at": webhook.created_at,
    }


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    operation_id="create_webhook",
    responses={
        **_URL_REFUSED,
        403: {"description": "Not yours to register"},
        409: {"description": "There are too many already"},
    },
)
async def create_webhook(
    request: WebhookCreateRequest, context: ContextDep, principal: PrincipalDep
) -> WebhookCreateResponse:
    """Have the events of runs sent to an address from now on. The secret is shown this once."""
    webhook, secret = await commands.create(context, principal, request)
    return WebhookCreateResponse(**_fields(webhook), secret=secret)


@router.get("", operation_id="list_webhooks")
async def list_webhooks(
    context: ContextDep,
    principal: PrincipalDep,
    page: Annotated[int, Query(ge=1)] = 1,
    page_size: Annotated[int, Query(ge=5, le=100)] = 50,
) -> list[WebhookReadResponse]:
    """The caller's webhooks, or for an administrator all of the organization, newest first."""
    async with context.database.transaction(principal.scope) as connection:
        rows = await queries.webhooks(connection, reachable_webhooks(principal), Page(page, page_size))
    return [WebhookReadResponse(**_fields(row)) for row in rows]


@router.get("/{webhook_id}", operation_id="read_webhook", responses=_NOT_FOUND)
async def read_webhook(webhook_id: UUID, context: ContextDep, principal: PrincipalDep) -> WebhookReadResponse:
    """A webhook, and whether it works."""
    return WebhookReadResponse(**_fields(await commands.find(context, principal, webhook_id)))


@router.patch("/{webhook_id}", operation_id="change_webhook", responses={**_NOT_FOUND, **_URL_REFUSED})
async def change_webhook(
    webhook_id: UUID, request: WebhookUpdateRequest, context: ContextDep, principal: PrincipalDep
) -> WebhookReadResponse:
    """Change what is given. While a webhook is disabled nothing is sent, and what happens is not kept for it."""
    return WebhookReadResponse(**_fields(await commands.change(context, principal, webhook_id, request)))


@router.delete(
    "/{webhook_id}", status_code=status.HTTP_204_NO_CONTENT, operation_id="delete_webhook", responses=_NOT_FOUND
)
async def delete_webhook(webhook_id: UUID, context: ContextDep, principal: PrincipalDep) -> None:
    """Delete a webhook with all its deliveries."""
    await commands.delete(context, principal, webhook_id)


@router.post("/{webhook_id}/secret", operation_id="rotate_webhook_secret", responses=_NOT_FOUND)
async def rotate_webhook_secret(
    webhook_id: UUID, context: ContextDep, principal: PrincipalDep
) -> WebhookSecretResponse:
    """Make a new secret, shown this once. For a day, messages carry a signature with each of the two."""
    webhook, secret = await commands.rotate_secret(context, principal, webhook_id)
    return WebhookSecretResponse(secret=secret, previous_valid_until=webhook.previous_secret_until)


@router.post("/{webhook_id}/ping", operation_id="ping_webhook", responses=_NOT_FOUND)
async def ping_webhook(webhook_id: UUID, context: ContextDep, principal: PrincipalDep) -> WebhookAttempt:
    """Send a `webhook.ping` now, once, and say how it went."""
    attempt = await commands.send_ping(context, principal, webhook_id)
    return WebhookAttempt(
        delivered=attempt.is_delivered,
        status_code=attempt.status_code,
        duration_ms=attempt.duration_ms,
        error=attempt.error,
    )


@router.get("/{webhook_id}/deliveries", operation_id="list_webhook_deliveries", responses=_NOT_FOUND)
async def list_webhook_deliveries(
    webhook_id: UUID,
    context: ContextDep,
    principal: PrincipalDep,
    state: Annotated[DeliveryState | None, Query(description="Only deliveries in this state")] = None,
    page: Annotated[int, Query(ge=1)] = 1,
    page_size: Annotated[int, Query(ge=5, le=100)] = 50,
) -> list[WebhookDeliveryResponse]:
    """What was sent in the last 30 days, and what is to be sent, newest first."""
    await commands.find(context, principal, webhook_id)
    async with context.database.transaction(principal.scope) as connection:
        rows = await delivery_queries.deliveries(connection, webhook_id, state, Page(page, page_size))
    return [
        WebhookDeliveryResponse(
            delivery_id=row.id,
            run_id=row.run_id,
            number=row.event_number,
            kind=row.kind,
            state=row.state,
            attempts=row.attempts,
            last_attempt_at=row.last_attempt_at,
            last_status_code=row.status_code,
            last_duration_ms=row.duration_ms,
            last_error=row.error,
            next_attempt_at=row.next_attempt_at,
            created_at=row.created_at,
        )
        for row in rows
    ]


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/redeliver",
    status_code=status.HTTP_202_ACCEPTED,
    operation_id="redeliver_webhook_delivery",
    responses={**_NOT_FOUND, 409: {"description": "The webhook is disabled"}},
)
async def redeliver_webhook_delivery(
    webhook_id: UUID, delivery_id: UUID, context: ContextDep, principal: PrincipalDep
) -> None:
    """Send an event again, under the same message id, whether it was delivered, given up, or is still being tried."""
    await commands.redeliver(context, principal, webhook_id, delivery_id)


@messages.post("run-event", operation_id="receive_run_event", status_code=status.HTTP_204_NO_CONTENT)
async def receive_run_event(message: WebhookMessage) -> None:
    """Sent to a webhook's address. Answer with any 2xx within 10 seconds; everything else is tried again for a day.

    The headers `webhook-id`, `webhook-timestamp` and `webhook-signature` are those of Standard Webhooks. A message may
    come more than once, always with the same `webhook-id`.
    """
