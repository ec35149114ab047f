"""How the slots of the platform are shared (extension)."""

from typing import Annotated

from pydantic import BaseModel, Field

_MAX_CAP = 2**31 - 1

Cap = Annotated[int, Field(ge=0, le=_MAX_CAP)]


class SchedulingPolicy(BaseModel):
    """An organization's share of the slots, and how many of its items may be processed at once."""

    weight: float = Field(
        default=1,
        ge=0.001,
        le=1000,
        description="While several organizations wait, each gets slots in proportion to its weight",
    )
    max_items: Cap | None = Field(default=None, description="Of the organization; 0 holds all of its items back")
    max_items_per_user: Cap | None = Field(default=None, description="Of the runs of one user")
    max_items_per_run: Cap | None = Field(default=None, description="Of one run")
