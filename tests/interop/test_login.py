"""The published client's own ways to log in, against our issuer."""

import re
import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.interop.conftest import PASSWORD, Connect
from tests.interop.loaded_client import LoadedClient
from tests.interop.published_client import PublishedClient, browser_command, coverslip, json_of

from coverslip.embedded.ports import free_port
from coverslip.service.access.principal import Role
from coverslip.service.database.scope import PlatformScope
from coverslip.service.organizations import queries as organizations
from harness.people import Person
from harness.service import TestService

DECODED_TOKEN = """
import json
from aignostics.platform._authentication import get_token, verify_and_decode_token
print(json.dumps(verify_and_decode_token(get_token())))
"""


@pytest.fixture(scope="module")
def newcomer(connect: Connect, loaded: LoadedClient) -> Connect:
    """Sets up the client of somebody new; its commands start at once."""
    return lambda **options: replace(connect(**options), loaded=loaded)


def whoami(client: PublishedClient, extra: Mapping[str, str] | None = None) -> Any:
    """Who the client is to the platform; it logs in for that if it must."""
    return json_of(client.run("user", "whoami", "--no-mask-secrets", extra=extra))


def by_browser(client: PublishedClient, organization: str = "", **extra: str) -> dict[str, str]:
    """The environment of somebody with a browser."""
    return {
        "BROWSER": browser_command(client.person.email, f"'{PASSWORD}'", organization or "''"),
        "AIGNOSTICS_REDIRECT_URI": f"http://localhost:{free_port()}/",
    } | extra


def join(service: TestService, person: Person, organization_id: str) -> None:
    async def insert() -> None:
        async with service.context.database.transaction(PlatformScope()) as connection:
            await organizations.insert_membership(
                connection, user_id=person.user_id, organization_id=organization_id, role=Role.ADMIN
            )

    service.run(insert())


def test_the_printed_settings_are_what_the_client_needs(published: PublishedClient) -> None:
    url = str(published.person.base_url).rstrip("/")
    token = published.settings["AIGNOSTICS_REFRESH_TOKEN"]
    folder = Path(published.settings["AIGNOSTICS_CACHE_DIR"])
    assert published.settings == {
        "AIGNOSTICS_API_ROOT": url,
        "AIGNOSTICS_AUDIENCE": "coverslip-platform",
        "AIGNOSTICS_AUTHORIZATION_BASE_URL": f"{url}/authorize",
        "AIGNOSTICS_TOKEN_URL": f"{url}/oauth/token",
        "AIGNOSTICS_REDIRECT_URI": "http://localhost:8989/",
        "AIGNOSTICS_DEVICE_URL": f"{url}/oauth/device/code",
        "AIGNOSTICS_JWS_JSON_URL": f"{url}/.well-known/jwks.json",
        "AIGNOSTICS_CLIENT_ID_INTERACTIVE": "aignostics",
        "AIGNOSTICS_CLIENT_ID_DEVICE": "aignostics",
        "AIGNOSTICS_CACHE_DIR": str(folder),
        "OAUTHLIB_INSECURE_TRANSPORT": "1",
        "AIGNOSTICS_REFRESH_TOKEN": token,
    }
    assert 10 <= len(token) <= 1000
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700, "the client leaves its token readable for all"


def test_a_refresh_token_logs_in_without_a_person(published: PublishedClient) -> None:
    answer = whoami(published)
    assert answer["user"]["email"] == published.person.email
    assert answer["organization"]["id"] == published.person.organization_id
    assert answer["role"] == "member"
    claims = json_of(published.script(DECODED_TOKEN))
    assert claims["iss"] == f"{published.settings['AIGNOSTICS_API_ROOT']}/"
    assert (claims["azp"], claims["aud"], claims["scope"]) == ("aignostics", ["coverslip-platform"], "offline_access")


def test_a_session_that_was_ended_logs_in_nobody(newcomer: Connect) -> None:
    client = newcomer()
    sessions = client.person.get("/api/coverslip/v1/sessions").json()
    (ours,) = [session for session in sessions if session["client_id"] == "aignostics"]
    assert whoami(client)["user"]["id"] == client.person.user_id
    assert client.person.delete(f"/api/coverslip/v1/sessions/{ours['session_id']}").status_code == 204
    with_cached_token = client.run("user", "whoami")
    assert with_cached_token.returncode != 0, "the access token it keeps ended with the session"
    anew = replace(client, loaded=None).run("user", "login", "--relogin")
    assert anew.returncode != 0
    assert "400" in anew.stderr, "it is told that the refresh token is at fault"


def test_login_keeps_a_token_and_logout_forgets_it(newcomer: Connect) -> None:
    client = newcomer()
    assert client.run("user", "login").returncode == 0
    kept = Path(client.settings["AIGNOSTICS_CACHE_DIR"]) / ".token"
    assert kept.is_file()
    assert client.run("user", "logout").returncode == 0
    assert not kept.exists()


def test_a_code_confirmed_elsewhere(newcomer: Connect) -> None:
    client = newcomer(with_refresh_token=False)
    process = client.start("user", "login")
    assert process.stdout is not None
    shown = ""
    while not (found := re.search(r"visit: (\S+) and", shown)):
        line = process.stdout.readline()
        assert line, f"ended with {process.wait()}: {shown}"
        shown += line
    form = {"email": client.person.email, "password": PASSWORD}
    page = httpx.get(found[1])
    (code,) = re.findall(r'name="user_code"[^>]*value="([A-Z-]+)"', page.text)
    assert f"code is: {code}" in shown
    assert httpx.post(found[1].split("?")[0], data=form | {"user_code": code}).status_code == 200
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0, shown + rest
    assert whoami(client)["user"]["email"] == client.person.email


def test_a_browser_on_the_same_machine_with_settings_from_a_file(live_platform: TestService, connect: Connect) -> None:
    client = connect(with_refresh_token=False)
    file = client.folder / "platform.env"
    coverslip(live_platform, client.home, "connect", "--write", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    told = by_browser(client, AIGNOSTICS_ENV_FILE=file.name)
    assert whoami(client.without(*client.settings), told)["user"]["email"] == client.person.email


def test_a_browser_needs_the_word_for_plain_http(newcomer: Connect) -> None:
    client = newcomer(with_refresh_token=False).without("OAUTHLIB_INSECURE_TRANSPORT")
    assert client.run("user", "login", extra=by_browser(client)).returncode != 0


@pytest.mark.parametrize("says", ["person", "setting"])
def test_somebody_in_two_organizations(live_platform: TestService, newcomer: Connect, says: str) -> None:
    client = newcomer(with_refresh_token=False)
    other = live_platform.organization()
    join(live_platform, client.person, other)
    extra = by_browser(client, other) if says == "person" else by_browser(client, AIGNOSTICS_ORGANIZATION_ID=other)
    answer = whoami(client, extra)
    assert (answer["organization"]["id"], answer["role"]) == (other, "admin")
