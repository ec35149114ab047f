"""Release documents of an application version."""

from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel

from coverslip.contract.fields import Instant


class VersionDocumentVisibility(StrEnum):
    PUBLIC = "public"
    INTERNAL = "internal"


class VersionDocumentResponse(BaseModel):
    """A release document: a model card, a manual, a schema."""

    id: UUID
    name: str
    mime_type: str
    visibility: VersionDocumentVisibility
    created_at: Instant
    updated_at: Instant
