"""How far the slides of a run are (extension)."""

from uuid import UUID

from pydantic import BaseModel, Field


class ItemProgress(BaseModel):
    """An item that a worker is processing now."""

    item_id: UUID
    external_id: str
    attempt: int
    stage: str = Field(description="What the worker or the application is doing", examples=["reading tiles"])
    fraction: float = Field(ge=0, le=1, description="How much of the stage is done")
