"""Settings of models, from ``COVERSLIP_…`` variables."""

from enum import StrEnum
from pathlib import Path

import platformdirs
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from coverslip.models.card import ID_PATTERN, Task
from coverslip.models.errors import ModelSettingsInvalid

_PLACES = {"home", "models"}


class Provider(StrEnum):
    """What runs the networks; `auto` takes the fastest that this machine has."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    COREML = "coreml"


class ModelSettings(BaseSettings):
    """Where models lie, which are used and what runs them."""

    model_config = SettingsConfigDict(
        env_prefix="COVERSLIP_", env_file=".env", extra="ignore", frozen=True, protected_namespaces=()
    )

    home: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("coverslip")), description="Where everything is kept"
    )
    models: Path | None = Field(default=None, description="Folder of the site's own models; else models in the home")
    model_provider: Provider = Field(default=Provider.AUTO, description="What runs models: auto, cpu, cuda or coreml")
    model_threads: int = Field(default=0, ge=0, description="Processor threads of a model; 0: one per core")
    model_nuclei: str | None = Field(
        default=None, pattern=ID_PATTERN, description="Id of the model for nuclei; else Coverslip's own"
    )
    model_tissue: str | None = Field(
        default=None, pattern=ID_PATTERN, description="Id of the model for tissue; else Coverslip's rules"
    )
    model_cells: str | None = Field(
        default=None, pattern=ID_PATTERN, description="Id of the model for classes of cells; else Coverslip's own"
    )

    @property
    def folder(self) -> Path:
        """The folder of the site's own models."""
        return (self.models or self.home / "models").expanduser()

    @property
    def chosen(self) -> dict[Task, str]:
        """The ids of the models that were chosen in place of Coverslip's own."""
        ids = {Task.NUCLEI: self.model_nuclei, Task.TISSUE: self.model_tissue, Task.CELLS: self.model_cells}
        return {task: model_id for task, model_id in ids.items() if model_id is not None}

    def environment(self) -> dict[str, str]:
        """The variables by which another process gets the same settings; none where all are as they come."""
        own = set(ModelSettings.model_fields) - _PLACES
        given = self.model_dump(mode="json", include=own, exclude_defaults=True)
        variables = {f"COVERSLIP_{name.upper()}": str(value) for name, value in given.items()}
        return variables and variables | {"COVERSLIP_MODELS": str(self.folder.absolute())}


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
