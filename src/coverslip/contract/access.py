"""Sharing: grants and share tokens."""

from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel

from coverslip.contract.fields import Instant, StorableText


class ResourceType(StrEnum):
    RUN = "run"
    ITEM = "item"
    OUTPUT_ARTIFACT = "output_artifact"
    SHARE_TOKEN = "share_token"  # noqa: S105


class SubjectType(StrEnum):
    USER = "user"
    ORGANIZATION_ADMIN = "organization_admin"
    ORGANIZATION_USER = "organization_user"
    SHARE_TOKEN = "share_token"  # noqa: S105


class GrantRelation(StrEnum):
    OWNER = "owner"
    EDITOR = "editor"
    VIEWER = "viewer"


class GrantCreateRequest(BaseModel):
    """Whom to show what. A user is named by id or by e-mail address, everybody else by id."""

    resource_type: ResourceType
    resource_id: UUID
    subject_type: SubjectType
    subject_id: StorableText | None = None
    subject_email: StorableText | None = None
    relation: GrantRelation


class GrantReadResponse(BaseModel):
    """Somebody may read something, until the grant is revoked."""

    grant_id: UUID
    resource_type: ResourceType
    resource_id: UUID
    subject_type: SubjectType
    subject_id: str
    relation: GrantRelation
    created_by: str
    created_at: Instant
    revoked: bool


class ShareTokenCreateRequest(BaseModel):
    """A share token, for good or until a time in the future."""

    expires_at: Instant | None = None


class ShareTokenCreateResponse(BaseModel):
    """A new share token with its secret, which is shown this once."""

    share_token_id: UUID
    share_token: str
    created_at: Instant
    expires_at: Instant | None
    revoked: bool


class ShareTokenReadResponse(BaseModel):
    """A share token, without its secret."""

    share_token_id: UUID
    created_at: Instant
    expires_at: Instant | None
    revoked: bool
