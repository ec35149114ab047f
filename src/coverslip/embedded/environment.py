"""The settings that the embedded platform hands to its parts."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from coverslip.embedded.errors import SettingNotForEmbedded
from coverslip.embedded.home import Home
from coverslip.embedded.parent_watch import ENVIRONMENT_NAME as PARENT_PIPE
from coverslip.embedded.postgres.connection import database_url
from coverslip.embedded.secrets import Secrets

_PREFIX = "COVERSLIP_"
_OWN_PARTS_ONLY = (
    "COVERSLIP_DATABASE_URL",
    "COVERSLIP_DATABASE_OWNER_URL",
    "COVERSLIP_DATABASE_READER_URL",
    "COVERSLIP_STORE_URL",
)
# A worker runs applications on untrusted slides: of the operator's settings it gets only those made for it.
_WORKER_PREFIXES = ("COVERSLIP_WORKER_", "COVERSLIP_LOG_", "COVERSLIP_MODEL")


@dataclass(frozen=True)
class Environments:
    """What the service, its administrative commands and the worker find in their environment.

    Attributes
    ----------
    home, secrets
        Where the data and the secrets lie.
    database_port
        TCP port of the embedded database.
    local_url
        Address of the service on this machine.
    public_url
        Address by which people reach it; the same unless a proxy does TLS.
    inherited
        The operator's environment; its own COVERSLIP_ settings reach the service.
    """

    home: Home
    secrets: Secrets
    database_port: int
    local_url: str
    public_url: str
    inherited: Mapping[str, str]

    def service(self) -> dict[str, str]:
        """For the service: rights to read and write rows, none to define tables."""
        return self._base(_PREFIX) | {
            "COVERSLIP_DATABASE_URL": self._database_url("service"),
            "COVERSLIP_DATABASE_READER_URL": self._database_url("reader"),
            "COVERSLIP_STORE_URL": self.home.store.as_uri(),
            "COVERSLIP_PUBLIC_URL": self.public_url,
            "COVERSLIP_ENCRYPTION_KEY_FILE": str(self.secrets.encryption_key),
            "COVERSLIP_STORE_KEY_FILE": str(self.secrets.store_key),
            "COVERSLIP_WORKER_TOKEN_FILE": str(self.secrets.worker_token),
            "COVERSLIP_METRICS_TOKEN_FILE": str(self.secrets.metrics_token),
        }

    def administration(self) -> dict[str, str]:
        """For migrations and login links: the service's, and the database owner's rights."""
        return self.service() | {"COVERSLIP_DATABASE_OWNER_URL": self._database_url("owner")}

    def worker(self, slots: int) -> dict[str, str]:
        """For a worker that takes `slots` items at once: no database, no keys.

        Beside public addresses it may fetch from our own, and from those that the operator allows.
        """
        own = [urlsplit(url).hostname or "" for url in (self.local_url, self.public_url)]
        allowed = dict.fromkeys([*own, *self.inherited.get("COVERSLIP_FETCH_ALLOW", "").split(",")])
        return self._base(*_WORKER_PREFIXES) | {
            "COVERSLIP_API_ROOT": self.local_url,
            "COVERSLIP_WORKER_TOKEN_FILE": str(self.secrets.worker_token),
            "COVERSLIP_WORKER_SLOTS": str(slots),
            "COVERSLIP_SCRATCH": str(self.home.scratch),
            "COVERSLIP_FETCH_ALLOW": ",".join(filter(None, allowed)),
            "COVERSLIP_MODELS": self.inherited.get("COVERSLIP_MODELS") or str(self.home.models),
        }

    def _database_url(self, role: str) -> str:
        return database_url(self.database_port, role, self.secrets)

    def _base(self, *kept: str) -> dict[str, str]:
        """The operator's environment with only the `kept` COVERSLIP_ settings, and no PG..., which steers libpq."""
        return {
            name: value
            for name, value in self.inherited.items()
            if name.startswith(kept) or not name.startswith((_PREFIX, "PG"))
            if name not in _OWN_PARTS_ONLY
        } | {PARENT_PIPE: "1", "PYTHONUNBUFFERED": "1"}


def refuse_foreign_parts(inherited: Mapping[str, str] = os.environ) -> None:
    """Refuse settings that name another database or store: ignoring them would put data where nobody looks for it.

    Raises
    ------
    SettingNotForEmbedded
        If one is set.
    """
    for setting in _OWN_PARTS_ONLY:
        if inherited.get(setting):
            raise SettingNotForEmbedded(setting=setting)
