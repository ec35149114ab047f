"""Runs: a batch of slides sent to one version of an application."""

from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, Field

from coverslip.contract.fields import Instant, JsonObject, StorableText
from coverslip.contract.items import ItemCreationRequest
from coverslip.contract.quotas import Amount, Currency

MAX_CALLBACK_CONTEXT_BYTES = 1024


class RunState(StrEnum):
    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    TERMINATED = "TERMINATED"


class RunOutput(StrEnum):
    NONE = "NONE"
    PARTIAL = "PARTIAL"
    FULL = "FULL"


class RunTerminationReason(StrEnum):
    ALL_ITEMS_PROCESSED = "ALL_ITEMS_PROCESSED"
    CANCELED_BY_SYSTEM = "CANCELED_BY_SYSTEM"
    CANCELED_BY_USER = "CANCELED_BY_USER"


class SchedulingRequest(BaseModel):
    """When a run should be done, and when it is of no use any more."""

    due_date: Instant | None = Field(
        default=None, description="Wished end; the queue is ordered to meet it", examples=["2027-03-04T23:59:59Z"]
    )
    deadline: Instant | None = Field(
        default=None,
        description="The run is cancelled if it has not ended by then",
        examples=["2027-03-05T23:59:59Z"],
    )


class SchedulingResponse(BaseModel):
    """The due date and deadline of a run."""

    due_date: Instant | None = None
    deadline: Instant | None = None


class RunCreationRequest(BaseModel):
    """A new run: which version of which application, and the slides."""

    application_id: StorableText = Field(description="Application to use", examples=["he-tme"])
    version_number: StorableText | None = Field(
        default=None, description="Version to use; the latest available to the caller when absent", examples=["1.3.0"]
    )
    custom_metadata: JsonObject | None = Field(
        default=None, description="Free JSON kept verbatim beside the run", examples=[{"study": "abc-1"}]
    )
    scheduling: SchedulingRequest | None = Field(default=None, description="Due date and deadline")
    callback_context: JsonObject | None = Field(
        default=None,
        description="Free JSON of at most 1024 bytes, given back in events",
    )
    items: list[ItemCreationRequest] = Field(min_length=1, description="The slides, each with its metadata")


class RunCreationResponse(BaseModel):
    run_id: UUID


class RunValidationResponse(BaseModel):
    """What a request that was only to be checked would have created."""

    application_id: str = Field(description="Application id")
    version_number: str = Field(description="Version that would process the slides")
    item_count: int = Field(description="Items the run would have")
    # Not one model: the document of the API has no schemas but the published ones.
    cost: Amount | None = Field(default=None, description="What it costs if every item succeeds; null: it is free")
    currency: Currency | None = Field(default=None, description="Of the cost")


class RunItemStatistics(BaseModel):
    """How many items of a run are where."""

    item_count: int = Field(description="Items in all")
    item_pending_count: int = Field(description="Items in state PENDING")
    item_processing_count: int = Field(description="Items in state PROCESSING")
    item_user_error_count: int = Field(description="Items that ended with USER_ERROR")
    item_system_error_count: int = Field(description="Items that ended with SYSTEM_ERROR")
    item_skipped_count: int = Field(description="Items that were SKIPPED")
    item_succeeded_count: int = Field(description="Items that SUCCEEDED")


class RunReadResponse(BaseModel):
    """A run: its state, its statistics, and what is known about its place in the queue."""

    run_id: UUID = Field(description="Id of the run")
    application_id: str = Field(description="Application id", examples=["he-tme"])
    version_number: str = Field(description="Version of the application")
    state: RunState = Field(
        description="PENDING while nothing is being processed, PROCESSING while something is, TERMINATED at the end"
    )
    output: RunOutput = Field(description="NONE, PARTIAL once an item succeeded, FULL once all did")
    termination_reason: RunTerminationReason | None = Field(description="How the run ended; null until then")
    error_code: str | None = Field(description="Why the system cancelled the run, as a code")
    error_message: str | None = Field(description="Why the system cancelled the run, in words")
    statistics: RunItemStatistics = Field(description="How many items are where")
    custom_metadata: JsonObject | None = Field(default=None, description="Free JSON given at submission, or since")
    custom_metadata_checksum: str | None = Field(
        default=None,
        description="Checksum of `custom_metadata`, to be given back when changing it, so that no change is lost",
        examples=["f54fe109"],
    )
    submitted_at: Instant = Field(description="When the run was submitted")
    submitted_by: str = Field(description="Id of the user who submitted it")
    organization_id: str | None = Field(default=None, description="The organization it was submitted for")
    terminated_at: Instant | None = Field(default=None, description="When it reached its final state")
    num_preceding_items_org: int | None = Field(
        default=None, description="Items of other runs of the organization that come before this run's next one"
    )
    num_preceding_items_platform: int | None = Field(
        default=None, description="Items of other runs of the platform that come before this run's next one"
    )
    scheduling: SchedulingResponse | None = Field(default=None, description="Due date and deadline")
