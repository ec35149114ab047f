"""What workers and the service say to each other (`/api/worker/v1`)."""

from uuid import UUID

from pydantic import BaseModel, Field

from coverslip.contract.attempts import MAX_STAGES, AttemptOutcome, ExitCause, StageDuration
from coverslip.contract.fields import Instant, JsonObject, StorableText
from coverslip.contract.uploads import CRC32C_PATTERN

MAX_ATTEMPT_LOG_BYTES = 65_536


class OfferedVersion(BaseModel):
    """A version that a worker can run."""

    application_id: StorableText
    version_number: StorableText


class Room(BaseModel):
    """What a worker has for items: processor cores, memory in MiB, graphics processors."""

    cpu: float = Field(ge=0, allow_inf_nan=False)
    memory_mb: int = Field(ge=0, le=2**53)
    gpu: int = Field(default=0, ge=0, le=2**31 - 1)


class LeaseRequest(BaseModel):
    """A worker with a free slot asks for an item."""

    worker_name: StorableText = Field(min_length=1, max_length=128)
    versions: list[OfferedVersion] = Field(min_length=1)
    wait_s: float = Field(default=0, ge=0, le=30, description="How long the service may hold the request open")
    free: Room | None = Field(default=None, description="Only an item that fits into this; when absent, any does")
    total: Room | None = Field(default=None, description="What is free when nothing is processed")


class LeasedInput(BaseModel):
    """An input of the leased item, with a URL signed for this lease."""

    name: str
    download_url: str
    metadata: JsonObject


class Lease(BaseModel):
    """The right, for a while, to process one item. Every later request carries `lease_token`."""

    lease_token: str
    item_id: UUID
    run_id: UUID
    external_id: str
    attempt: int
    application_id: str
    version_number: str
    inputs: list[LeasedInput]
    time_limit_s: float
    memory_limit_mb: int
    cpu: float = Field(default=1, description="Processor cores to keep for the item")
    gpu: int = Field(default=0, description="Graphics processors to keep for the item")
    heartbeat_s: float
    expires_at: Instant


class HeartbeatRequest(BaseModel):
    stage: StorableText = Field(default="", max_length=200)
    fraction: float = Field(default=0, ge=0, le=1)
    stages: list[StageDuration] = Field(default=[], max_length=MAX_STAGES, description="All so far, with the present")


class HeartbeatResponse(BaseModel):
    expires_at: Instant


class InputContent(BaseModel):
    """What a fetched input is."""

    name: StorableText
    file_name: StorableText = Field(max_length=255, description="Of the local file; its suffix may decide its reader")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class ReuseRequest(BaseModel):
    """The worker has fetched the inputs, and asks whether the same were processed before."""

    inputs: list[InputContent]
    models: dict[StorableText, StorableText] = Field(
        default={}, description="What the models are that this worker's site chose, by what they find"
    )


class ReuseResponse(BaseModel):
    reused: bool = Field(description="The item has the artifacts of an earlier one: what is left is to report")


class ArtifactUploadRequest(BaseModel):
    """An output file the worker is about to upload."""

    name: StorableText
    size_bytes: int = Field(ge=0)
    checksum_base64_crc32c: str = Field(pattern=CRC32C_PATTERN)


class ArtifactUploadResponse(BaseModel):
    upload_url: str | None = Field(description="Null when an earlier attempt has published this artifact already")


class ArtifactPublishRequest(ArtifactUploadRequest):
    """An output file that has been uploaded."""

    metadata: JsonObject


class ReportRequest(BaseModel):
    """How the attempt ended, as the worker saw it."""

    outcome: AttemptOutcome
    error_code: StorableText | None = Field(default=None, max_length=128)
    error_message: StorableText | None = Field(default=None, max_length=4096)
    stage: StorableText = Field(default="", max_length=200)
    log: StorableText = Field(default="", max_length=MAX_ATTEMPT_LOG_BYTES)
    stages: list[StageDuration] = Field(default=[], max_length=MAX_STAGES)
    exit_cause: ExitCause | None = Field(default=None, description="Of a SYSTEM_ERROR, whose fault it was")
    ended_by: StorableText | None = Field(default=None, max_length=64, description="Signal or exit code of a crash")
    peak_memory_mb: int | None = Field(default=None, ge=0, le=2**31 - 1)
