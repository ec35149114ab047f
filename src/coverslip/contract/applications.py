"""Applications, their versions, and what a version takes and gives."""

from enum import StrEnum

from pydantic import BaseModel, Field

from coverslip.contract.fields import Instant, JsonObject, MimeType, SemanticVersion


class OutputArtifactScope(StrEnum):
    ITEM = "ITEM"
    GLOBAL = "GLOBAL"


class OutputArtifactVisibility(StrEnum):
    INTERNAL = "INTERNAL"
    EXTERNAL = "EXTERNAL"


class ApplicationVersion(BaseModel):
    """A version's number and when it was released."""

    number: SemanticVersion = Field(description="Version number, by Semantic Versioning")
    released_at: Instant = Field(description="When this version became available on the platform")


class ApplicationReadShortResponse(BaseModel):
    """An application as lists show it."""

    application_id: str = Field(description="Application id", examples=["he-tme"])
    name: str = Field(description="Name shown to people", examples=["H&E TME"])
    regulatory_classes: list[str] = Field(description="Regulatory classes it belongs to: RUO, IVDR, FDA")
    description: str = Field(description="What the application does")
    latest_version: ApplicationVersion | None = Field(
        default=None, description="The highest version available to the caller"
    )


class ApplicationReadResponse(BaseModel):
    """An application with every version available to the caller, newest first."""

    application_id: str = Field(description="Application id", examples=["he-tme"])
    name: str = Field(description="Name shown to people", examples=["H&E TME"])
    regulatory_classes: list[str] = Field(description="Regulatory classes it belongs to: RUO, IVDR, FDA")
    description: str = Field(description="What the application does")
    versions: list[ApplicationVersion] = Field(description="Every version available to the caller")


class InputArtifact(BaseModel):
    """A file that a version takes for each item."""

    name: str
    mime_type: MimeType = Field(examples=["image/tiff"])
    metadata_schema: JsonObject


class OutputArtifact(BaseModel):
    """A file that a version gives for each item."""

    name: str
    mime_type: MimeType = Field(examples=["application/vnd.apache.parquet"])
    metadata_schema: JsonObject
    scope: OutputArtifactScope
    visibility: OutputArtifactVisibility


class VersionReadResponse(BaseModel):
    """One version of an application: its inputs, outputs and what changed."""

    version_number: SemanticVersion = Field(description="Version number, by Semantic Versioning")
    changelog: str = Field(description="What changed since the previous version")
    input_artifacts: list[InputArtifact] = Field(description="The files an item must bring")
    output_artifacts: list[OutputArtifact] = Field(description="The files an item gets")
    released_at: Instant = Field(description="When this version was registered")
