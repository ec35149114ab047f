"""Whether the platform is well."""

from enum import StrEnum

from pydantic import BaseModel


class HealthStatus(StrEnum):
    UP = "UP"
    DEGRADED = "DEGRADED"
    DOWN = "DOWN"


class HealthResponse(BaseModel):
    status: HealthStatus
    reason: str | None = None
