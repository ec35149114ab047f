"""Logging in, staying logged in, logging out."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from coverslip.contract.identity import (
    DEVICE_CODE_GRANT,
    ONE_TIME_LINK_GRANT,
    DeviceAuthorizationResponse,
    TokenResponse,
)
from coverslip.platform.errors import LoginRefused, NotALoginLink, NotLoggedIn, SessionExpired, SetupIncomplete
from coverslip.platform.oauth import GrantRefused, OAuthEndpoints
from coverslip.platform.token_cache import StoredLogin, TokenCache

RENEW_BEFORE = timedelta(seconds=60)
SLOW_DOWN_S = 5
"""RFC 8628, section 3.5."""


class TokenProvider(Protocol):
    """Gives the access token for the next request."""

    def __call__(self) -> str: ...


class LoginSession:
    """The stored login to one platform, as a token provider that renews itself. Safe to share between threads."""

    def __init__(self, oauth: OAuthEndpoints, cache: TokenCache) -> None:
        self._oauth, self._cache = oauth, cache
        self._lock = threading.Lock()

    def __call__(self) -> str:
        """An access token that is valid for another minute at least.

        Raises
        ------
        NotLoggedIn, SessionExpired
        """
        with self._lock:
            login = self._cache.read()
            if login is None:
                raise NotLoggedIn(url=self._oauth.root)
            if login.expires_at - datetime.now(UTC) > RENEW_BEFORE:
                return login.access_token
            return self._refresh(login)

    def renew(self, rejected: str) -> str:
        """Another access token, because the server refused the one `rejected`.

        Raises
        ------
        NotLoggedIn, SessionExpired
        """
        with self._lock:
            login = self._cache.read()
            if login is None:
                raise NotLoggedIn(url=self._oauth.root)
            return login.access_token if login.access_token != rejected else self._refresh(login)

    def _refresh(self, login: StoredLogin) -> str:
        if login.refresh_token is None:
            raise SessionExpired(url=login.root, reason="it could not be renewed")
        try:
            tokens = self._oauth.token("refresh_token", refresh_token=login.refresh_token)
        except GrantRefused as error:
            # Another process may have renewed it in the meantime, which ends the refresh token we knew.
            current = self._cache.read()
            if current is not None and current.access_token != login.access_token:
                return current.access_token
            raise SessionExpired(url=login.root, reason=str(error).rstrip(".")) from error
        renewed = stored_login(login.root, tokens)
        if renewed.refresh_token is None:
            renewed.refresh_token = login.refresh_token
        self._cache.write(renewed)
        return renewed.access_token


def stored_login(root: str, tokens: TokenResponse) -> StoredLogin:
    """What to keep of a token answer that came just now."""
    return StoredLogin(
        root=root,
        access_token=tokens.access_token,
        expires_at=datetime.now(UTC) + timedelta(seconds=tokens.expires_in),
        refresh_token=tokens.refresh_token,
    )


def split_login_link(link: str) -> tuple[str, str]:
    """The root of the platform and the secret in a link such as ``https://coverslip.example/welcome?link=SECRET``.

    Raises
    ------
    NotALoginLink
    """
    parts = urlsplit(link.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotALoginLink(reason="it is no http or https address")
    secrets = parse_qs(parts.query).get("link")
    if not secrets:
        raise NotALoginLink(reason="it carries no secret")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rsplit('/', 1)[0]}", secrets[0]


def login_by_link(
    oauth: OAuthEndpoints,
    cache: TokenCache,
    secret: str,
    *,
    organization: str | None = None,
    email: str | None = None,
    name: str | None = None,
    password: str | None = None,
) -> None:
    """Redeem a one-time link. The very first one of a platform also founds its organization and first user.

    Raises
    ------
    LoginRefused
        If the link has been used or has expired.
    SetupIncomplete
        If it is the first one and something that it needs is missing; the link stays good.
    """
    try:
        tokens = oauth.token(
            ONE_TIME_LINK_GRANT,
            link_secret=secret,
            organization=organization,
            email=email,
            name=name,
            password=password,
        )
    except GrantRefused as error:
        if error.error == "invalid_request":
            raise SetupIncomplete(url=oauth.root, reason=str(error)) from error
        raise LoginRefused(url=oauth.root, reason=str(error)) from error
    cache.write(stored_login(oauth.root, tokens))


def login_by_device(
    oauth: OAuthEndpoints, cache: TokenCache, show: Callable[[DeviceAuthorizationResponse], None]
) -> None:
    """Log in with a code that the person confirms in a browser, on this machine or another (RFC 8628).

    ``show`` is called once with the code and the address to open.

    Raises
    ------
    LoginRefused
        If the person refused, or the code expired.
    """
    try:
        device = oauth.device_code()
        show(device)
        tokens = _await_confirmation(oauth, device)
    except GrantRefused as error:
        raise LoginRefused(url=oauth.root, reason=str(error)) from error
    cache.write(stored_login(oauth.root, tokens))


def _await_confirmation(oauth: OAuthEndpoints, device: DeviceAuthorizationResponse) -> TokenResponse:
    interval_s = device.interval
    give_up_at = time.monotonic() + device.expires_in
    while time.monotonic() < give_up_at:
        time.sleep(interval_s)
        try:
            return oauth.token(DEVICE_CODE_GRANT, device_code=device.device_code)
        except GrantRefused as error:
            if error.error == "slow_down":
                interval_s += SLOW_DOWN_S
            elif error.error != "authorization_pending":
                raise
    raise GrantRefused("expired_token", "The code was not confirmed in time. Run `coverslip user login` again.")


def logout(oauth: OAuthEndpoints, cache: TokenCache) -> bool:
    """End the login on the server and forget it here; False if there was none.

    Raises
    ------
    ServerUnreachable
        After the login has been forgotten here: it lives on at the server until it expires.
    """
    login = cache.read()
    forgotten = cache.forget()
    if login is not None:
        oauth.revoke(login.refresh_token or login.access_token)
    return forgotten
