"""What receivers are told."""

from datetime import UTC, datetime
from uuid import uuid4

from coverslip.contract.webhooks import WebhookMessage, WebhookMessageData
from coverslip.service.database.rows import AnyRow
from coverslip.service.webhooks.sending import Message


def message_of(claimed: AnyRow) -> Message:
    """The message of a claimed delivery."""
    content = WebhookMessage(
        type=claimed.kind,
        timestamp=claimed.occurred_at.astimezone(UTC),
        data=WebhookMessageData(
            run_id=claimed.run_id,
            number=claimed.event_number,
            item_id=claimed.item_id,
            external_id=claimed.external_id,
            payload=claimed.payload,
            callback_context=claimed.callback_context,
        ),
    )
    return Message(f"msg_{claimed.id}", content.model_dump_json().encode())


def ping() -> Message:
    """A message about nothing."""
    content = WebhookMessage(type="webhook.ping", timestamp=datetime.now(UTC), data=None)
    return Message(f"msg_{uuid4()}", content.model_dump_json().encode())
