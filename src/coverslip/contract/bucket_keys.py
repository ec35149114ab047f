"""Keys that open the organization's bucket to clients of S3 (extension)."""

from pydantic import BaseModel, Field

from coverslip.contract.fields import Instant


class BucketKeyReadResponse(BaseModel):
    """A bucket key of the caller."""

    access_key_id: str
    created_at: Instant
    revoked_at: Instant | None = Field(default=None, description="Since when nothing that it signed is accepted")


class BucketKeySecretResponse(BaseModel):
    """The caller's bucket key, and what it opens."""

    access_key_id: str
    secret_access_key: str
    bucket_name: str
