"""What an application's process and the worker tell each other: lines of JSON."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, TypeAdapter


class JobInput(BaseModel):
    path: Path
    metadata: dict[str, Any]


class Job(BaseModel):
    """One item to process; it holds no URL and no token."""

    application_id: str
    version_number: str
    item_id: str
    external_id: str
    inputs: dict[str, JobInput]
    outputs_directory: Path


class ProgressMade(BaseModel):
    kind: Literal["progress"] = "progress"
    stage: str
    fraction: float


class ArtifactWritten(BaseModel):
    kind: Literal["artifact"] = "artifact"
    name: str
    path: Path
    metadata: dict[str, Any]


class InputBlamed(BaseModel):
    """The application raised ``UserError``."""

    kind: Literal["input_blamed"] = "input_blamed"
    code: str
    message: str


class Raised(BaseModel):
    """The application raised anything else."""

    kind: Literal["raised"] = "raised"
    reason: str


class Completed(BaseModel):
    kind: Literal["completed"] = "completed"


Message = Annotated[ProgressMade | ArtifactWritten | InputBlamed | Raised | Completed, Field(discriminator="kind")]

message_adapter: TypeAdapter[Message] = TypeAdapter(Message)
