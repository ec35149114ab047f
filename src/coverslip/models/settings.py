"""Settings of models, from ``COVERSLIP_…`` variables."""

from enum import StrEnum
from pathlib import Path

import platformdirs
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from coverslip.models.errors import ModelSettingsInvalid


class Provider(StrEnum):
    """What runs the networks; `auto` takes the fastest that this machine has."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    COREML = "coreml"


class ModelSettings(BaseSettings):
    """Where models lie and what runs them."""

    model_config = SettingsConfigDict(
        env_prefix="COVERSLIP_", env_file=".env", extra="ignore", frozen=True, protected_namespaces=()
    )

    home: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("coverslip")), description="Where everything is kept"
    )
    models: Path | None = Field(default=None, description="Folder of the site's own models; else models in the home")
    model_provider: Provider = Field(default=Provider.AUTO, description="What runs models: auto, cpu, cuda or coreml")
    model_threads: int = Field(default=0, ge=0, description="Processor threads of a model; 0: one per core")

    @property
    def folder(self) -> Path:
        """The folder of the site's own models."""
        return (self.models or self.home / "models").expanduser()


def load_settings() -> ModelSettings:
    """Read the settings.

    Raises
    ------
    ModelSettingsInvalid
        Naming each variable that is wrong.
    """
    try:
        return ModelSettings()
    except ValidationError as error:
        faults = "; ".join(f"COVERSLIP_{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors())
        raise ModelSettingsInvalid(faults=faults) from None
