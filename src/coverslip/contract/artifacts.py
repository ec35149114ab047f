"""The files of an item: what went in and what came out."""

from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, Field

from coverslip.contract.fields import DownloadUrl, JsonObject


class ArtifactState(StrEnum):
    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    TERMINATED = "TERMINATED"


class ArtifactOutput(StrEnum):
    NONE = "NONE"
    AVAILABLE = "AVAILABLE"
    DELETED_BY_USER = "DELETED_BY_USER"
    DELETED_BY_SYSTEM = "DELETED_BY_SYSTEM"


class ArtifactTerminationReason(StrEnum):
    SUCCEEDED = "SUCCEEDED"
    USER_ERROR = "USER_ERROR"
    SYSTEM_ERROR = "SYSTEM_ERROR"
    SKIPPED = "SKIPPED"


class InputArtifactCreationRequest(BaseModel):
    """A slide to be processed, where to fetch it, and what the version's schema asks to know of it."""

    name: str = Field(description="Name of the input, as the version declares it", examples=["whole_slide_image"])
    download_url: DownloadUrl = Field(description="Signed URL of the file, valid for at least 6 days")
    metadata: JsonObject = Field(
        description="Metadata of the file; the version's `metadata_schema` for this input decides what is valid",
        examples=[
            {"checksum_base64_crc32c": "64RKKA==", "resolution_mpp": 0.25, "width_px": 80000, "height_px": 60000}
        ],
    )


class InputArtifactResultReadResponse(BaseModel):
    """A file that went in."""

    input_artifact_id: UUID = Field(description="Id of the artifact")
    name: str = Field(description="Name of the input, as the version declares it")
    metadata: JsonObject | None = Field(default=None, description="Metadata given at submission")
    download_url: DownloadUrl | None = Field(
        default=None, description="URL given at submission; only its submitter sees it"
    )


class OutputArtifactResultReadResponse(BaseModel):
    """A file that came out, or will."""

    output_artifact_id: UUID = Field(description="Id of the artifact")
    name: str = Field(
        description="Name of the output, as the version declares it", examples=["tissue_qc:segmentation_map_image"]
    )
    metadata: JsonObject | None = Field(default=None, description="Metadata given by the application")
    state: ArtifactState = Field(description="Where the artifact is in its life")
    termination_reason: ArtifactTerminationReason | None = Field(default=None, description="How it ended")
    output: ArtifactOutput = Field(description="Whether the file can be downloaded")
    error_code: str | None = None
    error_message: str | None = None
    download_url: DownloadUrl | None = Field(
        default=None,
        description="Signed URL valid for 1 hour, new in every answer; prefer the artifact's `file` route",
        deprecated=True,
    )
