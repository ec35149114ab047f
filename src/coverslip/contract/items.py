"""Items: the slides of a run."""

from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, Field

from coverslip.contract.artifacts import (
    InputArtifactCreationRequest,
    InputArtifactResultReadResponse,
    OutputArtifactResultReadResponse,
)
from coverslip.contract.fields import Instant, JsonObject, StorableText

MAX_EXTERNAL_ID_LENGTH = 255


class ItemState(StrEnum):
    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    TERMINATED = "TERMINATED"


class ItemOutput(StrEnum):
    NONE = "NONE"
    FULL = "FULL"


class ItemTerminationReason(StrEnum):
    SUCCEEDED = "SUCCEEDED"
    USER_ERROR = "USER_ERROR"
    SYSTEM_ERROR = "SYSTEM_ERROR"
    SKIPPED = "SKIPPED"


class ItemCreationRequest(BaseModel):
    """One slide of a new run."""

    external_id: StorableText = Field(
        max_length=MAX_EXTERNAL_ID_LENGTH,
        description="Your id for this item, unique in its run",
        examples=["slide_1", "cases/2026/s1.svs"],
    )
    custom_metadata: JsonObject | None = Field(
        default=None, description="Free JSON kept verbatim beside the item", examples=[{"case": "abc"}]
    )
    input_artifacts: list[InputArtifactCreationRequest] = Field(description="The files the version asks for")


class ItemResultReadResponse(BaseModel):
    """An item: its state, its files, and why it failed if it did."""

    item_id: UUID = Field(description="Id given by the platform")
    external_id: str = Field(description="Id given at submission")
    custom_metadata: JsonObject | None = Field(description="Free JSON given at submission, or since")
    custom_metadata_checksum: str | None = Field(
        default=None,
        description="Checksum of `custom_metadata`, to be given back when changing it, so that no change is lost",
    )
    queue_position_org: int | None = Field(default=None, description="Position in the organization's queue")
    queue_position_platform: int | None = Field(default=None, description="Position in the platform's queue")
    state: ItemState = Field(description="PENDING, then PROCESSING, then TERMINATED")
    output: ItemOutput = Field(description="FULL once every output artifact is available")
    termination_reason: ItemTerminationReason | None = Field(
        default=None,
        description=(
            "How it ended: SUCCEEDED; USER_ERROR, the input was at fault; SYSTEM_ERROR, the platform was; "
            "SKIPPED, the run was cancelled first"
        ),
    )
    error_code: str | None = None
    error_message: str | None = Field(default=None, description="Why it failed and what to do about it")
    terminated_at: Instant | None = Field(default=None, description="When it reached its final state")
    input_artifacts: list[InputArtifactResultReadResponse] = Field(description="The files that went in")
    output_artifacts: list[OutputArtifactResultReadResponse] = Field(description="The files that come out")
