"""The vocabulary of API v1.0.0, which older published clients speak."""

from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, Field

from coverslip.contract.applications import OutputArtifactScope
from coverslip.contract.artifacts import InputArtifactCreationRequest
from coverslip.contract.fields import DownloadUrl, Instant, JsonObject, StorableText
from coverslip.contract.items import MAX_EXTERNAL_ID_LENGTH


class ApplicationRunStatus(StrEnum):
    CANCELED_SYSTEM = "CANCELED_SYSTEM"
    CANCELED_USER = "CANCELED_USER"
    COMPLETED = "COMPLETED"
    COMPLETED_WITH_ERROR = "COMPLETED_WITH_ERROR"
    RECEIVED = "RECEIVED"
    REJECTED = "REJECTED"
    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"


class ItemStatus(StrEnum):
    PENDING = "PENDING"
    CANCELED_USER = "CANCELED_USER"
    CANCELED_SYSTEM = "CANCELED_SYSTEM"
    ERROR_USER = "ERROR_USER"
    ERROR_SYSTEM = "ERROR_SYSTEM"
    SUCCEEDED = "SUCCEEDED"


class ApplicationReadResponse(BaseModel):
    application_id: str = Field(description="Application id")
    name: str = Field(description="Name shown to people")
    regulatory_classes: list[str]
    description: str


class InputArtifactReadResponse(BaseModel):
    name: str
    mime_type: str
    metadata_schema: JsonObject


class OutputArtifactReadResponse(BaseModel):
    name: str
    mime_type: str
    metadata_schema: JsonObject
    scope: OutputArtifactScope


class ApplicationVersionReadResponse(BaseModel):
    application_version_id: str = Field(description="Application and version in one", examples=["test-app:v1.0.0"])
    version: str = Field(description="Semantic version")
    application_id: str
    flow_id: UUID | None = Field(default=None, description="Always null: it was for the platform's own use")
    changelog: str
    input_artifacts: list[InputArtifactReadResponse]
    output_artifacts: list[OutputArtifactReadResponse]
    created_at: Instant


class ItemCreationRequest(BaseModel):
    reference: StorableText = Field(
        max_length=MAX_EXTERNAL_ID_LENGTH, description="Your id for this item, unique in its run"
    )
    input_artifacts: list[InputArtifactCreationRequest]


class RunCreationRequest(BaseModel):
    application_version_id: StorableText = Field(
        description="Application and version in one", examples=["test-app:v1.0.0"]
    )
    items: list[ItemCreationRequest] = Field(min_length=1)


class RunCreationResponse(BaseModel):
    application_run_id: UUID


class TransferUrls(BaseModel):
    upload_url: DownloadUrl
    download_url: DownloadUrl


class PayloadInputArtifact(BaseModel):
    input_artifact_id: UUID
    metadata: JsonObject
    download_url: DownloadUrl


class PayloadOutputArtifact(BaseModel):
    output_artifact_id: UUID
    data: TransferUrls
    metadata: TransferUrls


class PayloadItem(BaseModel):
    item_id: UUID
    input_artifacts: dict[str, PayloadInputArtifact]
    output_artifacts: dict[str, PayloadOutputArtifact]


class UserPayload(BaseModel):
    application_id: str
    application_run_id: UUID
    global_output_artifacts: dict[str, PayloadOutputArtifact] | None
    items: list[PayloadItem]


class RunReadResponse(BaseModel):
    application_run_id: UUID
    application_version_id: str
    organization_id: str
    user_payload: UserPayload | None = Field(
        default=None, description="Always null: it held upload URLs for the platform's own use"
    )
    status: ApplicationRunStatus
    triggered_at: Instant
    triggered_by: str


class OutputArtifactResultReadResponse(BaseModel):
    output_artifact_id: UUID
    name: str
    metadata: JsonObject
    download_url: DownloadUrl | None = Field(description="Signed URL valid for 1 hour, new in every answer")


class ItemResultReadResponse(BaseModel):
    item_id: UUID
    application_run_id: UUID
    reference: str
    status: ItemStatus
    error: str | None
    output_artifacts: list[OutputArtifactResultReadResponse]
