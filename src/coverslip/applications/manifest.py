"""The manifest of an application: a data file that says all the platform must know to offer it."""

from datetime import datetime
from importlib.resources.abc import Traversable
from typing import Annotated, Any, Self

import jsonschema
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from coverslip.applications.errors import ManifestInvalid
from coverslip.contract.applications import OutputArtifactScope, OutputArtifactVisibility
from coverslip.contract.fields import MimeType, SemanticVersion


def _checked_schema(schema: dict[str, Any]) -> dict[str, Any]:
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise ValueError(f"not a JSON Schema (draft 2020-12): {error.message}") from error
    return schema


MetadataSchema = Annotated[dict[str, Any], AfterValidator(_checked_schema)]
"""A JSON Schema, draft 2020-12, of an artifact's metadata."""


class Part(BaseModel):
    """Manifests are exact and immutable: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class InputArtifact(Part):
    """A file that the application takes."""

    name: str = Field(min_length=1)
    mime_type: MimeType
    metadata_schema: MetadataSchema


class OutputArtifact(Part):
    """A file that the application gives."""

    name: str = Field(min_length=1)
    mime_type: MimeType
    metadata_schema: MetadataSchema
    scope: OutputArtifactScope
    visibility: OutputArtifactVisibility


class Resources(Part):
    """What one item may use: processor cores, memory in MiB, graphics processors, seconds."""

    cpu: float = Field(gt=0)
    memory_mb: int = Field(gt=0)
    gpu: int = Field(ge=0)
    time_limit_s: int = Field(gt=0)


class Version(Part):
    """One released version; it never changes."""

    number: SemanticVersion
    changelog: str
    released_at: Annotated[datetime, AwareDatetime]
    input_artifacts: tuple[InputArtifact, ...] = Field(min_length=1)
    output_artifacts: tuple[OutputArtifact, ...] = Field(min_length=1)
    resources: Resources

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        for artifacts in (self.input_artifacts, self.output_artifacts):
            names = [artifact.name for artifact in artifacts]
            if len(set(names)) < len(names):
                raise ValueError(f"artifact names of version {self.number} repeat")
        return self


class Manifest(Part):
    """An application with its versions."""

    application_id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    name: str = Field(min_length=1)
    description: str
    regulatory_classes: tuple[str, ...]
    versions: tuple[Version, ...] = Field(min_length=1)

    def version(self, number: str) -> Version | None:
        """The version ``number``, None if there is no such version."""
        return next((version for version in self.versions if version.number == number), None)


def load_manifest(file: Traversable) -> Manifest:
    """Read a ``manifest.json``.

    Raises
    ------
    ManifestInvalid
        If it does not fit `Manifest` or is missing.
    """
    try:
        return Manifest.model_validate_json(file.read_bytes())
    except (ValidationError, OSError) as error:
        raise ManifestInvalid(application=file.name, reason=error) from error
