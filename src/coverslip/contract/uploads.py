"""Slides on their way into the organization's bucket, and there (extension).

A file is announced, sent in parts through signed URLs, and completed. Announcing it again goes on with what is missing.
"""

from uuid import UUID

from pydantic import BaseModel, Field

from coverslip.contract.fields import DownloadUrl, Instant, StorableText

CRC32C_PATTERN = r"^[A-Za-z0-9+/]{6}==$"
MAX_OBJECT_BYTES = 5 * 1024**4


class UploadCreateRequest(BaseModel):
    """A file the caller wants to send."""

    name: StorableText = Field(
        min_length=1, max_length=512, description="Path below the caller's own area", examples=["batch-7/s1.svs"]
    )
    size_bytes: int = Field(ge=0, le=MAX_OBJECT_BYTES)
    checksum_base64_crc32c: str = Field(pattern=CRC32C_PATTERN, description="CRC-32C, big-endian, base64")


class UploadPart(BaseModel):
    """A piece of the file that has not arrived yet."""

    number: int = Field(description="From 1")
    offset_bytes: int
    size_bytes: int


class UploadResponse(BaseModel):
    """An upload: what is missing, and where the object will be, or is."""

    upload_id: UUID
    object_key: str
    download_url: DownloadUrl = Field(description="To be given as an item's `download_url` once complete")
    complete: bool
    missing_parts: list[UploadPart]


class PartCreateRequest(BaseModel):
    """The caller is about to send one part."""

    checksum_base64_crc32c: str = Field(pattern=CRC32C_PATTERN, description="Of this part; other bytes are refused")


class PartCreateResponse(BaseModel):
    upload_url: str = Field(description="For one PUT of the part")


class ObjectReadResponse(BaseModel):
    """An object that the caller uploaded."""

    object_key: str
    bucket_key: str | None = Field(default=None, description="What clients of S3 call it")
    size_bytes: int
    checksum_base64_crc32c: str
    created_at: Instant
