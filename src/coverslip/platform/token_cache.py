"""Logins kept between commands: one private file for each platform, so that no token ever reaches another server."""

import contextlib
import hashlib
import os
import re
import tempfile
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ValidationError


class StoredLogin(BaseModel):
    """A login to the platform at `root`."""

    root: str
    access_token: str
    expires_at: AwareDatetime
    refresh_token: str | None = None


class TokenCache:
    """The file that keeps the login to one platform. Only its owner can read it, from the moment it exists."""

    def __init__(self, folder: Path, root: str) -> None:
        self._root = root
        readable = re.sub(r"[^a-z0-9]+", "-", root.lower().split("://")[-1]).strip("-")[:60]
        self.path = folder / f"{readable}-{hashlib.sha256(root.encode()).hexdigest()[:12]}.json"

    def read(self) -> StoredLogin | None:
        """The login, or None if there is none or the file is damaged."""
        try:
            login = StoredLogin.model_validate_json(self.path.read_bytes())
        except (OSError, ValidationError):
            return None
        return login if login.root == self._root else None

    def write(self, login: StoredLogin) -> None:
        """Keep a login; a reader sees the old one or the new one, never a part."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=".login-")  # mode 0600
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(login.model_dump_json())
            Path(temporary).replace(self.path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
            raise

    def forget(self) -> bool:
        """Remove the login; False if there was none."""
        try:
            self.path.unlink()
        except FileNotFoundError:
            return False
        return True
