"""Webhooks: where to send the events of runs, and how sending went (extension).

Messages follow the Standard Webhooks specification 1.0.0.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from coverslip.contract.events import EventKind
from coverslip.contract.fields import DownloadUrl, Instant, JsonObject, StorableText

EventKinds = Annotated[list[EventKind], Field(min_length=1)]
Description = Annotated[StorableText, Field(max_length=500)]


class WebhookScope(StrEnum):
    """Whose runs a webhook tells about: those its creator submits, or all of the organization."""

    OWN_RUNS = "OWN_RUNS"
    ORGANIZATION = "ORGANIZATION"


class WebhookDisabledReason(StrEnum):
    """Why nothing is sent: somebody said so, its receiver did (410), or every attempt has failed for days."""

    BY_USER = "BY_USER"
    GONE = "GONE"
    FAILING = "FAILING"


class DeliveryState(StrEnum):
    """Whether the receiver has answered with a 2xx, will be asked again, or has been given up."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


class WebhookCreateRequest(BaseModel):
    """Where to send what."""

    url: DownloadUrl = Field(description="https; http only to hosts that the operator allows")
    scope: WebhookScope = Field(
        default=WebhookScope.OWN_RUNS, description="ORGANIZATION is for administrators", validate_default=True
    )
    event_kinds: EventKinds | None = Field(default=None, description="What to send; all kinds if not given")
    description: Description = ""


class WebhookUpdateRequest(BaseModel):
    """What to change; what is not given stays."""

    url: DownloadUrl | None = None
    event_kinds: EventKinds | None = Field(default=None, description="null: all kinds")
    description: Description | None = None
    enabled: bool | None = None


class WebhookReadResponse(BaseModel):
    """A webhook, without its secret."""

    webhook_id: UUID
    url: str
    scope: WebhookScope
    event_kinds: list[EventKind] | None
    description: str
    enabled: bool
    disabled_reason: WebhookDisabledReason | None
    failing_since: Instant | None = Field(description="Since when every attempt has failed; null if the last did not")
    created_by: str
    created_at: Instant


class WebhookCreateResponse(WebhookReadResponse):
    """A new webhook, with its secret."""

    secret: str = Field(
        description="Shown only now; it verifies signatures", examples=["whsec_C2FVsBQIhrscChlQIM+b5g=="]
    )


class WebhookSecretResponse(BaseModel):
    """A new secret."""

    secret: str = Field(description="Shown only now")
    previous_valid_until: Instant = Field(description="Until then messages are signed with the previous secret too")


class WebhookAttempt(BaseModel):
    """How sending one message went."""

    delivered: bool = Field(description="The receiver answered with a 2xx")
    status_code: int | None
    duration_ms: int
    error: str | None


class WebhookDeliveryResponse(BaseModel):
    """One event on its way to one webhook."""

    delivery_id: UUID = Field(description="The message's `webhook-id` is this with `msg_` before it")
    run_id: UUID
    number: int = Field(description="Of the event")
    kind: str
    state: DeliveryState
    attempts: int = Field(description="Since it was made, or last asked for again")
    last_attempt_at: Instant | None
    last_status_code: int | None
    last_duration_ms: int | None
    last_error: str | None
    next_attempt_at: Instant | None = Field(description="null while it waits for an earlier event of its run")
    created_at: Instant


class WebhookMessageData(BaseModel):
    """The event of a message."""

    run_id: UUID
    number: int = Field(description="From 1 for each run, without gaps; a webhook that filters sees some of them")
    item_id: UUID | None
    external_id: str | None
    payload: JsonObject
    callback_context: JsonObject | None = Field(description="As it was submitted with the run")


class WebhookMessage(BaseModel):
    """The body of a message."""

    type: str = Field(description="The kind of the event, or `webhook.ping`", examples=["run.terminated"])
    timestamp: datetime = Field(description="When it happened")
    data: WebhookMessageData | None = Field(description="null in a ping")
