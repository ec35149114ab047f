"""Changing the free JSON beside a run or an item without losing another's change."""

from pydantic import BaseModel, Field

from coverslip.contract.fields import JsonObject


class CustomMetadataUpdateRequest(BaseModel):
    """New custom metadata, and the checksum of the one it replaces."""

    custom_metadata: JsonObject | None = Field(default=None, description="The new value; null removes it")
    custom_metadata_checksum: str | None = Field(
        default=None,
        description="Checksum of the value last read; the change is refused if the value has changed since",
    )


class CustomMetadataUpdateResponse(BaseModel):
    custom_metadata_checksum: str | None = Field(
        description="Checksum of the new value; null if there is none", json_schema_extra={"readOnly": True}
    )
