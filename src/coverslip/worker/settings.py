"""Settings of a worker, from ``COVERSLIP_…`` variables."""

import socket
from pathlib import Path

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from coverslip.fetching.allow_list import AllowEntries
from coverslip.worker.errors import WorkerSettingsInvalid


class WorkerSettings(BaseSettings):
    """What a worker needs to know. `coverslip up` provides it for the worker beside the service."""

    model_config = SettingsConfigDict(env_prefix="COVERSLIP_", env_file=".env", extra="ignore")

    api_root: str = Field(description="Address of the service")
    worker_token_file: Path = Field(description="File with the worker's token")
    worker_name: str = Field(default_factory=socket.gethostname, description="Name shown beside its attempts")
    worker_slots: int = Field(default=1, ge=1, description="Items processed at once")
    scratch: Path = Field(description="Folder for slides being processed, on a disk with room for the largest")
    fetch_allow: AllowEntries = Field(
        default=(), description="Hosts and CIDRs slides may come from although they are not public"
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


def load_settings() -> WorkerSettings:
    """Read the settings.

    Raises
    ------
    WorkerSettingsInvalid
        Naming each variable that is missing or wrong.
    """
    try:
        return WorkerSettings()  # type: ignore[call-arg]  # pydantic-settings fills the fields from the environment
    except ValidationError as error:
        faults = "; ".join(f"COVERSLIP_{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors())
        raise WorkerSettingsInvalid(faults=faults) from None
