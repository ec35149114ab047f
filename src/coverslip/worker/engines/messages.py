"""What an application's process and the worker tell each other: lines of JSON.

The worker believes no line: each is checked as what an application may say.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, TypeAdapter

from coverslip.contract.fields import JsonObject, StorableText


def storable(text: str) -> str:
    """``text`` as the database can keep it: without U+0000 and halves of surrogate pairs."""
    return text.replace("\x00", "").encode(errors="replace").decode()


Stage = Annotated[str, AfterValidator(lambda text: storable(text)[:200])]
Code = Annotated[str, AfterValidator(lambda text: storable(text)[:128])]
Explanation = Annotated[str, AfterValidator(lambda text: storable(text)[:4096])]


class JobInput(BaseModel):
    path: Path
    metadata: dict[str, Any]


class Job(BaseModel):
    """One item to process; it holds no URL and no token. ``environment`` is what the application finds in its own."""

    application_id: str
    version_number: str
    item_id: str
    external_id: str
    inputs: dict[str, JobInput]
    outputs_directory: Path
    environment: dict[str, str] = {}


class ProgressMade(BaseModel):
    kind: Literal["progress"] = "progress"
    stage: Stage
    fraction: float = Field(ge=0, le=1)


class ArtifactWritten(BaseModel):
    kind: Literal["artifact"] = "artifact"
    name: StorableText
    path: Path
    metadata: JsonObject


class InputBlamed(BaseModel):
    """The application raised ``UserError``."""

    kind: Literal["input_blamed"] = "input_blamed"
    code: Code
    message: Explanation


class Raised(BaseModel):
    """The application raised anything else."""

    kind: Literal["raised"] = "raised"
    reason: Explanation


class Completed(BaseModel):
    kind: Literal["completed"] = "completed"


Message = Annotated[ProgressMade | ArtifactWritten | InputBlamed | Raised | Completed, Field(discriminator="kind")]

message_adapter: TypeAdapter[Message] = TypeAdapter(Message)
