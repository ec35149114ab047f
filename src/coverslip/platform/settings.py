"""Settings of the client: from the environment (`COVERSLIP_…`), then from the file `.env`, then these defaults."""

import json
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from coverslip.platform.errors import BadConfiguration

DEFAULT_API_ROOT = "http://127.0.0.1:8000"


class Settings(BaseSettings):
    """What a client needs to know before it can speak with a platform.

    ``api_root`` is the address of the platform without a path; when absent, a platform that runs on this machine is
    found by the file it writes, see `resolve_api_root`.
    """

    model_config = SettingsConfigDict(env_prefix="COVERSLIP_", env_file=".env", extra="ignore", frozen=True)

    api_root: str | None = Field(default=None, description="Address of the platform")
    home: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("coverslip")), description="Where sessions are kept"
    )
    connect_timeout_s: float = Field(default=5, gt=0, le=300, description="How long to wait for a connection")
    read_timeout_s: float = Field(default=60, gt=0, le=300, description="How long to wait for an answer")
    poll_interval_s: float = Field(default=2, gt=0, le=300, description="How often a run is looked at")

    @property
    def credentials_folder(self) -> Path:
        """Where logins are kept, a file for each platform."""
        return self.home.expanduser() / "credentials"

    @property
    def results_folder(self) -> Path:
        """Where results go when nobody says where."""
        return self.home.expanduser() / "results"

    @property
    def address_file(self) -> Path:
        """Written by `coverslip up` while it runs."""
        return self.home.expanduser() / "run" / "platform.json"


def load_settings() -> Settings:
    """Read the settings.

    Raises
    ------
    BadConfiguration
        Naming the first setting that cannot be used.
    """
    try:
        return Settings()
    except ValidationError as error:
        fault = error.errors()[0]
        raise BadConfiguration(name=f"COVERSLIP_{fault['loc'][0]}".upper(), reason=fault["msg"]) from error


def resolve_api_root(settings: Settings, api_root: str | None = None) -> str:
    """The address of the platform: the argument, else the setting, else the platform running here, else the default.

    Raises
    ------
    BadConfiguration
        If it is not an absolute http or https URL.
    """
    chosen = api_root or settings.api_root or running_platform(settings) or DEFAULT_API_ROOT
    parts = urlsplit(chosen)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise BadConfiguration(name="COVERSLIP_API_ROOT", reason=f"{chosen!r} is not an http or https address")
    return chosen.rstrip("/")


def running_platform(settings: Settings) -> str | None:
    """The address of the platform that `coverslip up` runs on this machine, or None."""
    try:
        document = json.loads(settings.address_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    url = document.get("url") if isinstance(document, dict) else None
    return url if isinstance(url, str) else None
