"""Objects in the organization's bucket (extension): where a client puts slides before it submits them."""

from pydantic import BaseModel, Field

from coverslip.contract.fields import DownloadUrl, StorableText

CRC32C_PATTERN = r"^[A-Za-z0-9+/]{6}==$"

MAX_OBJECT_BYTES = 5 * 1024**4
"""As in S3."""


class ObjectCreateRequest(BaseModel):
    """A file the caller is about to upload."""

    name: StorableText = Field(
        min_length=1, max_length=512, description="Path below the caller's own area", examples=["batch-7/s1.svs"]
    )
    size_bytes: int = Field(ge=0, le=MAX_OBJECT_BYTES)
    checksum_base64_crc32c: str = Field(
        pattern=CRC32C_PATTERN, description="CRC-32C, big-endian, base64; an upload that differs is refused"
    )


class ObjectUploadResponse(BaseModel):
    """Where to PUT the file. `upload_url` is null when the very same file is there already."""

    object_key: str
    upload_url: str | None
    download_url: DownloadUrl = Field(description="To be given as an item's `download_url`")
