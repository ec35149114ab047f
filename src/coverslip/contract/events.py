"""What happens to a run (extension)."""

from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, Field

from coverslip.contract.fields import Instant, JsonObject


class EventKind(StrEnum):
    """What can happen to a run and its items. More kinds may come; ignore those you do not know."""

    RUN_SUBMITTED = "run.submitted"
    RUN_PROCESSING = "run.processing"
    RUN_PENDING = "run.pending"
    RUN_TERMINATED = "run.terminated"
    RUN_RESULTS_DELETED = "run.results_deleted"
    ITEM_PROCESSING = "item.processing"
    ITEM_REQUEUED = "item.requeued"
    ITEM_REUSED = "item.reused"
    ITEM_TERMINATED = "item.terminated"
    ARTIFACT_AVAILABLE = "artifact.available"


class RunEvent(BaseModel):
    """Something that happened to a run, or to one of its items."""

    number: int = Field(description="From 1 for each run, without gaps")
    kind: str = Field(examples=["item.terminated"])
    item_id: UUID | None = None
    external_id: str | None = Field(default=None, description="Of the item")
    occurred_at: Instant
    payload: JsonObject = Field(
        description="What there is to say about it, such as `termination_reason` and `error_code` of what has ended",
        examples=[{"termination_reason": "SUCCEEDED", "error_code": None}],
    )
