"""Random secrets of an installation, each in a file that only its owner may read."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from coverslip.embedded.home import Home
from coverslip.embedded.private_file import write_private

DATABASE_ROLES = ("postgres", "owner", "service", "reader")
KEY_BYTES = 32


@dataclass(frozen=True)
class Secrets:
    """Where the secrets of a home lie: keys as 32 raw bytes, passwords and tokens as text without an end of line."""

    folder: Path

    @property
    def encryption_key(self) -> Path:
        """Key of what the database keeps encrypted."""
        return self.folder / "encryption-key"

    @property
    def store_key(self) -> Path:
        """HMAC key of the object store's signed URLs."""
        return self.folder / "store-key"

    @property
    def worker_token(self) -> Path:
        """Token by which the local worker is known to the service."""
        return self.folder / "worker-token"

    @property
    def metrics_token(self) -> Path:
        """Token by which the service shows its metrics."""
        return self.folder / "metrics-token"

    def database_password(self, role: str) -> str:
        """Password of one of `DATABASE_ROLES`; its letters need no escape in a URL."""
        return self.database_password_file(role).read_text()

    def database_password_file(self, role: str) -> Path:
        """File with the password of one of `DATABASE_ROLES`."""
        return self.folder / f"database-{role}"


def ensure_secrets(home: Home) -> Secrets:
    """Make the secrets that do not exist yet; call it while holding the home's lock. Existing ones never change."""
    made = Secrets(home.secrets)
    for key in (made.encryption_key, made.store_key):
        _write_once(key, secrets.token_bytes(KEY_BYTES))
    passwords = (made.database_password_file(role) for role in DATABASE_ROLES)
    for token in (made.worker_token, made.metrics_token, *passwords):
        _write_once(token, secrets.token_urlsafe(KEY_BYTES).encode())
    return made


def _write_once(path: Path, secret: bytes) -> None:
    if not path.exists():
        write_private(path, secret)
    path.chmod(0o600)
