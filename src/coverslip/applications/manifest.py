"""The manifest of an application: a data file that says all the platform must know to offer it."""

from datetime import datetime
from importlib.resources.abc import Traversable
from typing import Annotated, Any, Protocol, Self, cast

import jsonschema
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from coverslip.applications.errors import ManifestInvalid
from coverslip.contract.applications import OutputArtifactScope, OutputArtifactVisibility
from coverslip.contract.documents import VersionDocumentVisibility
from coverslip.contract.fields import MimeType, SemanticVersion
from coverslip.contract.worker import Room


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

    def fit_into(self, room: Room) -> bool:
        """Whether a worker that has so much left may take the item."""
        return self.cpu <= room.cpu and self.memory_mb <= room.memory_mb and self.gpu <= room.gpu


def _is_beside_the_manifest(file: str) -> str:
    if "\\" in file or any(part in ("", ".", "..") for part in file.split("/")):
        raise ValueError("must be a path from the manifest's folder downwards, with / between its parts")
    return file


class ReleaseDocument(Part):
    """A file for readers: a model card, a manual, a schema.

    Attributes
    ----------
    name
        The name under which it is listed and saved.
    file
        Where it lies, as a path from the manifest's folder.
    visibility
        ``public``: for whoever may use the version; ``internal``: for the operator of the platform.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
    file: Annotated[str, AfterValidator(_is_beside_the_manifest)]
    mime_type: MimeType
    visibility: VersionDocumentVisibility = VersionDocumentVisibility.PUBLIC


class Version(Part):
    """One released version; it never changes, but for its documents.

    Attributes
    ----------
    reusable
        Its results depend on the input files and their metadata alone, not on the item's ids or on chance, so that the
        result of one item may serve for another. What is not so must say ``false``.
    """

    number: SemanticVersion
    changelog: str
    released_at: Annotated[datetime, AwareDatetime]
    input_artifacts: tuple[InputArtifact, ...] = Field(min_length=1)
    output_artifacts: tuple[OutputArtifact, ...] = Field(min_length=1)
    documents: tuple[ReleaseDocument, ...] = ()
    resources: Resources
    reusable: bool = True

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        for kind in ("input_artifacts", "output_artifacts", "documents"):
            names = [part.name for part in getattr(self, kind)]
            if len(set(names)) < len(names):
                raise ValueError(f"names of {kind} of version {self.number} repeat")
        return self


class Manifest(Part):
    """An application with its versions."""

    application_id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    name: str = Field(min_length=1)
    description: str
    regulatory_classes: tuple[str, ...]
    versions: tuple[Version, ...] = Field(min_length=1)

    _folder: Traversable | None = PrivateAttr(default=None)

    def file_of(self, document: ReleaseDocument) -> Traversable:
        """The file of a release document; a manifest that was not loaded from a file has none."""
        assert self._folder is not None
        return self._folder.joinpath(*document.file.split("/"))

    def version(self, number: str) -> Version | None:
        """The version ``number``, None if there is no such version."""
        return next((version for version in self.versions if version.number == number), None)


class _InFolder(Protocol):
    """What a file of a package is besides a `Traversable`, be the package a folder or a zip."""

    @property
    def parent(self) -> Traversable: ...


def load_manifest(file: Traversable) -> Manifest:
    """Read a ``manifest.json``, with release documents beside it.

    Raises
    ------
    ManifestInvalid
        If it does not fit `Manifest` or is missing, or a document is.
    """
    try:
        manifest = Manifest.model_validate_json(file.read_bytes())
    except (ValidationError, OSError) as error:
        raise ManifestInvalid(application=file.name, reason=error) from error
    manifest._folder = cast(_InFolder, file).parent
    for version in manifest.versions:
        for document in version.documents:
            if not manifest.file_of(document).is_file():
                raise ManifestInvalid(application=file.name, reason=f"there is no file {document.file} beside it")
    return manifest
