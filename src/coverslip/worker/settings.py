"""Settings of a worker, from ``COVERSLIP_…`` variables."""

import socket
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import SettingsConfigDict

from coverslip.fetching.allow_list import AllowEntries
from coverslip.models.settings import ModelSettings
from coverslip.telemetry.logs import LogFormat, LogLevel
from coverslip.worker.errors import WorkerSettingsInvalid


class EngineName(StrEnum):
    """Where attempts run: on the worker's own machine, or on the nodes of a Ray cluster."""

    LOCAL = "local"
    RAY = "ray"


class WorkerSettings(ModelSettings):
    """What a worker needs to know, models for its applications included.

    `coverslip up` provides it for the worker beside the service.
    """

    model_config = SettingsConfigDict(env_prefix="COVERSLIP_", env_file=".env", extra="ignore")

    api_root: str = Field(description="Address of the service")
    worker_token_file: Path = Field(description="File with the worker's token")
    worker_name: str = Field(default_factory=socket.gethostname, description="Name shown beside its attempts")
    worker_slots: int = Field(default=1, ge=1, description="Items processed at once")
    worker_cpu: float | None = Field(default=None, gt=0, description="Processor cores for items; else all there are")
    worker_memory_mb: int | None = Field(default=None, gt=0, description="Memory for items, in MiB; else all there is")
    worker_gpu: int | None = Field(default=None, ge=0, description="Graphics processors for items; else all there are")
    log_format: LogFormat = Field(default=LogFormat.TEXT, description="Lines of `text`, or of `json` for machines")
    log_level: LogLevel = Field(default=LogLevel.INFO, description="The least important lines to write")
    scratch: Path = Field(description="Folder for slides being processed, on a disk with room for the largest")
    fetch_allow: AllowEntries = Field(
        default=(), description="Hosts and CIDRs slides may come from although they are not public"
    )
    engine: EngineName = Field(
        default=EngineName.LOCAL, description="local: items are processed on this machine; ray: on a Ray cluster"
    )
    ray_address: str = Field(
        default="auto",
        pattern=r"^(auto|[^/\s]+:\d+)$",
        description="Address of the head of the Ray cluster, as host:port; auto: the cluster of this machine",
    )

    @field_validator("api_root")
    @classmethod
    def _without_final_slash(cls, value: str) -> str:
        return value.rstrip("/")

    def worker_token(self) -> str:
        """The worker's token.

        Raises
        ------
        WorkerSettingsInvalid
            If its file cannot be read.
        """
        try:
            return self.worker_token_file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise WorkerSettingsInvalid(faults=f"COVERSLIP_WORKER_TOKEN_FILE: {error}") from None


def load_settings(**given: Any) -> WorkerSettings:
    """Read the settings; those that are ``given`` win over the environment.

    Raises
    ------
    WorkerSettingsInvalid
        Naming each variable that is missing or wrong.
    """
    try:
        return WorkerSettings(**given)
    except ValidationError as error:
        faults = "; ".join(f"COVERSLIP_{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors())
        raise WorkerSettingsInvalid(faults=faults) from None
