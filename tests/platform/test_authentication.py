"""Logins: link, device, renewal, and how they are kept."""

import stat
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from coverslip.platform import Client
from coverslip.platform.authentication import (
    LoginSession,
    login_by_device,
    login_by_link,
    logout,
    split_login_link,
)
from coverslip.platform.connection import open_connections
from coverslip.platform.errors import LoginRefused, NotALoginLink, NotLoggedIn, SessionExpired, SetupIncomplete
from coverslip.platform.oauth import OAuthEndpoints
from coverslip.platform.settings import Settings
from coverslip.platform.token_cache import StoredLogin, TokenCache


@pytest.fixture
def oauth(platform: Any) -> Iterator[OAuthEndpoints]:
    with open_connections(Settings()) as http:
        yield OAuthEndpoints(platform.url, http)


@pytest.fixture
def cache(platform: Any, tmp_path: Path) -> TokenCache:
    return TokenCache(tmp_path / "home" / "credentials", platform.url)


def keep(cache: TokenCache, root: str, token: str, seconds: float, refresh: str | None = "refresh-1") -> None:
    expires_at = datetime.now(UTC) + timedelta(seconds=seconds)
    cache.write(StoredLogin(root=root, access_token=token, expires_at=expires_at, refresh_token=refresh))


def test_the_file_of_a_login_is_private_and_lies_with_its_server(cache: TokenCache, platform: Any) -> None:
    keep(cache, platform.url, "good", 600)
    assert stat.S_IMODE(cache.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(cache.path.parent.stat().st_mode) == 0o700
    assert [path.name for path in cache.path.parent.iterdir()] == [cache.path.name]
    assert TokenCache(cache.path.parent, "http://127.0.0.1:1").read() is None


def test_a_damaged_file_counts_as_no_login(cache: TokenCache, platform: Any) -> None:
    keep(cache, platform.url, "good", 600)
    cache.path.write_text('{"root": ')
    assert cache.read() is None


def test_a_link_logs_in_once(oauth: OAuthEndpoints, cache: TokenCache, platform: Any) -> None:
    login_by_link(oauth, cache, "login-1")
    with Client() as client:
        assert client.me().user.name == "Ada"
    with pytest.raises(LoginRefused, match="has been used"):
        login_by_link(oauth, cache, "login-1")


def test_the_first_link_says_what_it_needs_and_stays_good(oauth: OAuthEndpoints, cache: TokenCache) -> None:
    with pytest.raises(SetupIncomplete, match="--organization"):
        login_by_link(oauth, cache, "first")
    login_by_link(oauth, cache, "first", organization="Example", email="ada@example.org", name="Ada")
    assert cache.read() is not None


def test_a_device_waits_for_its_person(oauth: OAuthEndpoints, cache: TokenCache, platform: Any) -> None:
    platform.pending_device_polls.extend(["authorization_pending", "authorization_pending"])
    shown: list[str] = []
    login_by_device(oauth, cache, lambda device: shown.append(device.user_code))
    assert shown == ["ABCD-EFGH"]
    assert cache.read() is not None


def test_a_device_that_was_refused_says_so(oauth: OAuthEndpoints, cache: TokenCache, platform: Any) -> None:
    platform.pending_device_polls.append("access_denied")
    with pytest.raises(LoginRefused, match="access_denied"):
        login_by_device(oauth, cache, lambda device: None)


def test_a_token_about_to_expire_is_renewed_first(cache: TokenCache, platform: Any) -> None:
    keep(cache, platform.url, "stale", 30)
    with Client() as client:
        client.me()
    assert len(platform.asked("GET", "/api/v1/me")) == 1
    login = cache.read()
    assert login is not None
    assert login.access_token.startswith("token-")
    assert login.refresh_token == "refresh-1"


def test_a_token_the_server_refuses_is_renewed_once(cache: TokenCache, platform: Any) -> None:
    keep(cache, platform.url, "revoked", 600)
    with Client() as client:
        client.me()
    assert len(platform.asked("GET", "/api/v1/me")) == 2


def test_many_threads_renew_once(oauth: OAuthEndpoints, cache: TokenCache, platform: Any) -> None:
    keep(cache, platform.url, "stale", 1)
    session = LoginSession(oauth, cache)
    threads = [threading.Thread(target=session) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(platform.asked("POST", "/oauth/token")) == 1


def test_an_ended_session_says_how_to_begin_another(cache: TokenCache, platform: Any) -> None:
    keep(cache, platform.url, "stale", 1, refresh="forgotten")
    with Client() as client, pytest.raises(SessionExpired, match="coverslip user login"):
        client.me()


def test_a_renewal_by_another_process_is_taken_over(oauth: OAuthEndpoints, cache: TokenCache, platform: Any) -> None:
    keep(cache, platform.url, "newer", 600)
    assert LoginSession(oauth, cache).renew("older") == "newer"
    assert platform.asked("POST", "/oauth/token") == []


def test_logging_out_ends_the_login_on_both_sides(oauth: OAuthEndpoints, cache: TokenCache, platform: Any) -> None:
    login_by_link(oauth, cache, "login-1")
    assert logout(oauth, cache)
    assert platform.refresh_tokens == set()
    assert not logout(oauth, cache)
    with Client() as client, pytest.raises(NotLoggedIn):
        client.me()


@pytest.mark.parametrize(
    ("link", "root"),
    [
        ("http://127.0.0.1:8000/welcome?link=a-b_c", "http://127.0.0.1:8000"),
        (" https://lab.example/coverslip/welcome?link=a-b_c\n", "https://lab.example/coverslip"),
    ],
)
def test_a_link_names_its_platform(link: str, root: str) -> None:
    assert split_login_link(link) == (root, "a-b_c")


@pytest.mark.parametrize("link", ["", "a-b_c", "ftp://x/welcome?link=a", "http://x/welcome", "http://x/welcome?link="])
def test_other_text_is_no_link(link: str) -> None:
    with pytest.raises(NotALoginLink):
        split_login_link(link)
