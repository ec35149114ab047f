"""Two organizations and their administrators, who are logged in."""

from pathlib import Path

import httpx

from coverslip.embedded.platform import EmbeddedPlatform
from coverslip.platform.authentication import LoginSession, login_by_link, split_login_link
from coverslip.platform.oauth import OAuthEndpoints
from coverslip.platform.token_cache import TokenCache
from faults import queries

_FOUNDER = {"organization": "First", "email": "ada@example.org", "name": "Ada"}
_SECOND = "grace@example.org"


def log_in_administrators(
    running: EmbeddedPlatform, database_url: str, folder: Path, http: httpx.Client
) -> list[LoginSession]:
    """Found both organizations on a new platform; the logins are kept below ``folder``, and renewed with ``http``."""
    first = _log_in(running.login_link(), folder / "first", http, _FOUNDER)
    queries.insert_organization(database_url, "Second", _SECOND)
    return [first, _log_in(running.login_link(_SECOND), folder / "second", http, {})]


def _log_in(link: str | None, folder: Path, http: httpx.Client, founder: dict[str, str]) -> LoginSession:
    assert link is not None
    root, secret = split_login_link(link)
    oauth, cache = OAuthEndpoints(root, http), TokenCache(folder, root)
    login_by_link(oauth, cache, secret, **founder)
    return LoginSession(oauth, cache)
