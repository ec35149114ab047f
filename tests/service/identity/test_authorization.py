"""Signing in with a browser: what /authorize shows, where it sends people, and what a code is good for."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import pytest

from coverslip.service.access.principal import Role
from coverslip.service.database.scope import PlatformScope
from coverslip.service.identity.commands import new_link
from coverslip.service.organizations import queries as organizations
from harness.people import Person
from harness.service import TestService, at_once

PASSWORD = "correct horse battery"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
HOME = "http://localhost:8989/"
QUERY = {
    "response_type": "code",
    "client_id": "aignostics",
    "redirect_uri": HOME,
    "scope": "offline_access",
    "state": "a state&more",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
    "access_type": "offline",
    "audience": "coverslip-platform",
}
LEFT_OUT = None


@pytest.fixture
def ada(service: TestService) -> Person:
    return service.person(service.organization(), password=PASSWORD)


def address(**changes: str | None) -> str:
    return "/authorize?" + urlencode({name: value for name, value in (QUERY | changes).items() if value is not None})


def sign_in(service: TestService, ada: Person, password: str = PASSWORD, **changes: str | None) -> httpx.Response:
    return service.http.post(address(**changes), data={"email": ada.email, "password": password})


def sent_back(answer: httpx.Response, home: str = HOME) -> dict[str, str]:
    """What the person brings back to the client."""
    assert answer.status_code in (303, 307), answer.text
    location = answer.headers["Location"]
    assert location.startswith(f"{home}?")
    return dict(parse_qsl(urlsplit(location).query))


def code_for(service: TestService, ada: Person, **changes: str | None) -> str:
    return sent_back(sign_in(service, ada, **changes))["code"]


def redeem(service: TestService, code: str, **changes: str) -> httpx.Response:
    form = {
        "grant_type": "authorization_code",
        "client_id": "aignostics",
        "code": code,
        "redirect_uri": HOME,
        "code_verifier": VERIFIER,
    }
    return service.http.post("/oauth/token", data=form | changes)


def refresh(service: TestService, tokens: Mapping[str, Any], client_id: str = "aignostics") -> httpx.Response:
    form = {"grant_type": "refresh_token", "client_id": client_id, "refresh_token": tokens["refresh_token"]}
    return service.http.post("/oauth/token", data=form)


def me(service: TestService, tokens: Mapping[str, Any]) -> httpx.Response:
    return service.http.get("/api/v1/me", headers={"Authorization": f"Bearer {tokens['access_token']}"})


def claims_of(token: str) -> Any:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def join(service: TestService, person: Person, organization_id: str, role: Role = Role.MEMBER) -> None:
    async def insert() -> None:
        async with service.context.database.transaction(PlatformScope()) as connection:
            await organizations.insert_membership(
                connection, user_id=person.user_id, organization_id=organization_id, role=role
            )

    service.run(insert())


class TestTheWayThrough:
    def test_a_person_is_sent_back_with_a_code_that_signs_the_client_in(
        self, service: TestService, ada: Person
    ) -> None:
        page = service.http.get(address())
        assert page.status_code == 200
        assert "Aignostics client on your computer" in page.text
        answer = sign_in(service, ada)
        assert answer.status_code == 303, "a browser must not send the password on"
        assert answer.headers["Cache-Control"] == "no-store"
        brought = sent_back(answer)
        assert brought.keys() == {"code", "state"}
        assert brought["state"] == "a state&more"
        given = redeem(service, brought["code"]).raise_for_status()
        assert given.headers["Cache-Control"] == "no-store"
        tokens = given.json()
        assert tokens["scope"] == "offline_access", "the published client refuses any other than it asked for"
        assert me(service, tokens).json()["user"]["id"] == ada.user_id
        claims = claims_of(tokens["access_token"])
        assert (claims["azp"], claims["iss"]) == ("aignostics", f"{service.url}/")
        assert refresh(service, tokens).json()["refresh_token"] == tokens["refresh_token"]

    def test_a_one_time_link_does_as_well(self, service: TestService) -> None:
        ada = service.member()
        secret = service.run(new_link(service.context.database, email=ada.email, only_first=False))
        form = {"link": f" {service.url}/welcome?link={secret}\n"}
        code = sent_back(service.http.post(address(), data=form))["code"]
        assert me(service, redeem(service, code).json()).json()["user"]["id"] == ada.user_id
        assert service.http.post(address(), data=form).status_code == 400, "it works once"

    def test_a_link_for_the_set_up_is_left_unused(self, service: TestService) -> None:
        secret = service.run(new_link(service.context.database, email=None, only_first=False))
        refused = service.http.post(address(), data={"link": secret})
        assert refused.status_code == 400
        assert "Open it in the browser first" in refused.text
        assert service.http.get("/welcome", params={"link": secret}).status_code == 200

    def test_a_wrong_password_is_told_and_counted(self, service: TestService, ada: Person) -> None:
        for _ in range(5):
            refused = sign_in(service, ada, "wrong")
            assert (refused.status_code, "is wrong" in refused.text) == (400, True)
        assert "Too many" in sign_in(service, ada).text

    def test_who_does_not_want_to_is_sent_back_too(self, service: TestService) -> None:
        page = service.http.get(address()).text
        (cancel,) = re.findall(r'href="([^"]+)"', page)
        assert cancel.replace("&amp;", "&") == f"{HOME}?error=access_denied&state=a+state%26more"

    def test_an_openid_client_learns_who_signed_in(self, service: TestService, ada: Person) -> None:
        scope = "openid profile email offline_access"
        code = code_for(service, ada, scope=f"{scope} unheard_of", nonce="n-1")
        tokens = redeem(service, code).json()
        assert tokens["scope"] == scope
        told = claims_of(tokens["id_token"])
        assert (told["aud"], told["nonce"], told["iss"]) == ("aignostics", "n-1", f"{service.url}/")
        assert (told["sub"], told["email"], told["name"]) == (ada.user_id, ada.email, "Ada Lovelace")
        as_access_token = {"access_token": tokens["id_token"]}
        assert me(service, as_access_token).status_code == 401, "an ID token opens nothing"
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        userinfo = service.http.get("/oauth/userinfo", headers=bearer).json()
        assert {name: told[name] for name in userinfo} == userinfo
        assert "id_token" in refresh(service, tokens).json()

    def test_who_does_not_ask_to_stay_gets_nothing_to_stay_with(self, service: TestService, ada: Person) -> None:
        tokens = redeem(service, code_for(service, ada, scope="openid")).json()
        assert "refresh_token" not in tokens
        assert tokens["scope"] == "openid"


class TestOrganizations:
    def choose(self, service: TestService, page: httpx.Response, organization_id: str) -> httpx.Response:
        (code,) = re.findall(r'name="code" value="([^"]+)"', page.text)
        form = {"code": code, "organization": organization_id}
        return service.http.post("/authorize/organization", data=form)

    def test_who_is_in_several_chooses_one(self, service: TestService, ada: Person) -> None:
        other = service.organization()
        join(service, ada, other, Role.ADMIN)
        page = sign_in(service, ada)
        assert page.status_code == 200
        offered = re.findall(r'name="organization" required value="([^"]+)"', page.text)
        assert offered == [ada.organization_id, other]
        (waiting,) = re.findall(r'name="code" value="([^"]+)"', page.text)
        assert redeem(service, waiting).status_code == 400, "a code without an organization is worth nothing"
        stranger = service.organization()
        assert "no member" in self.choose(service, page, stranger).text
        brought = sent_back(self.choose(service, page, other))
        assert brought["state"] == "a state&more"
        assert self.choose(service, page, ada.organization_id).status_code == 400, "a choice is made once"
        tokens = redeem(service, brought["code"]).json()
        assert me(service, tokens).json()["organization"]["id"] == other
        assert claims_of(tokens["access_token"])["coverslip-platform/role"] == "admin"
        assert me(service, refresh(service, tokens).json()).json()["organization"]["id"] == other

    def test_a_choice_cannot_wait_for_ever(self, service: TestService, ada: Person) -> None:
        join(service, ada, service.organization())
        page = sign_in(service, ada)
        service.database.rows("update authorization_code set expires_at = now() - interval '1 second'")
        assert self.choose(service, page, ada.organization_id).status_code == 400

    def test_the_client_may_name_one(self, service: TestService, ada: Person) -> None:
        other = service.organization()
        join(service, ada, other)
        tokens = redeem(service, code_for(service, ada, organization=other)).json()
        assert me(service, tokens).json()["organization"]["id"] == other

    def test_not_one_of_others(self, service: TestService, ada: Person) -> None:
        refused = sign_in(service, ada, organization=service.organization())
        assert (refused.status_code, "no member" in refused.text) == (400, True)

    def test_not_without_any(self, service: TestService, ada: Person) -> None:
        service.database.rows("delete from membership")
        assert "belongs to no organization" in sign_in(service, ada).text


class TestWhereNobodyIsSent:
    @pytest.mark.parametrize(
        "changes",
        [
            {"client_id": LEFT_OUT},
            {"client_id": "invented"},
            {"redirect_uri": LEFT_OUT},
            {"redirect_uri": "https://evil.example/"},
            {"redirect_uri": "http://localhost.evil.example/"},
            {"redirect_uri": "http://localhost:8989@evil.example/"},
            {"redirect_uri": "http://evil.example#@localhost/"},
            {"redirect_uri": "http://localhost\\@evil.example/"},
            {"redirect_uri": "http://localhost:8989/#fragment"},
            {"redirect_uri": "http://localhost:8989/\r\nX: y"},
            {"redirect_uri": "https://localhost:8989/"},
            {"redirect_uri": "//evil.example"},
            {"redirect_uri": "javascript:alert(1)"},
            {"redirect_uri": "http://127.0.0.2/"},
        ],
    )
    def test_who_asks_or_where_to_answer_is_wrong(
        self, service: TestService, ada: Person, changes: dict[str, str | None]
    ) -> None:
        for refused in (service.http.get(address(**changes)), sign_in(service, ada, **changes)):
            assert refused.status_code == 400
            assert "location" not in refused.headers
            assert "href" not in refused.text
        assert service.database.rows("select * from authorization_code") == []

    @pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
    def test_given_twice(self, service: TestService, name: str) -> None:
        refused = service.http.get(f"{address()}&{urlencode({name: QUERY[name]})}")
        assert (refused.status_code, "more than once" in refused.text) == (400, True)

    @pytest.mark.parametrize("origin", ["http://evil.example", "null"])
    def test_forms_of_other_sites(self, service: TestService, ada: Person, origin: str) -> None:
        form = {"email": ada.email, "password": PASSWORD}
        for path in (address(), "/device", "/welcome", "/authorize/organization"):
            for headers in ({"Origin": origin}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
                assert service.http.post(path, data=form, headers=headers).status_code == 403
        for headers in ({"Origin": service.url}, {"Sec-Fetch-Site": "same-origin", "Origin": "null"}):
            assert service.http.post(address(), data=form, headers=headers).status_code == 303


class TestWhatTheClientIsTold:
    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"response_type": LEFT_OUT}, "unsupported_response_type"),
            ({"code_challenge": LEFT_OUT}, "invalid_request"),
            ({"code_challenge": "short"}, "invalid_request"),
            ({"code_challenge_method": "plain"}, "invalid_request"),
            ({"code_challenge_method": LEFT_OUT}, "invalid_request"),
            ({"audience": "somebody-else"}, "invalid_target"),
        ],
    )
    def test_what_is_wrong_with_its_request(
        self, service: TestService, ada: Person, changes: dict[str, str | None], error: str
    ) -> None:
        for answer in (service.http.get(address(**changes)), sign_in(service, ada, **changes)):
            told = sent_back(answer)
            assert (told["error"], told["state"]) == (error, "a state&more")
            assert told["error_description"]

    def test_a_repeated_parameter(self, service: TestService) -> None:
        told = sent_back(service.http.get(f"{address()}&scope=openid"))
        assert (told["error"], "scope" in told["error_description"]) == ("invalid_request", True)

    def test_a_query_of_its_own_is_kept(self, service: TestService, ada: Person) -> None:
        home = "http://127.0.0.1:1234/back?from=coverslip"
        location = sign_in(service, ada, redirect_uri=home, state=LEFT_OUT).headers["Location"]
        assert location.startswith(f"{home}&code=")
        assert parse_qs(urlsplit(location).query).keys() == {"from", "code"}

    @pytest.mark.parametrize(
        ("home", "source"),
        [
            (HOME, "http://localhost:8989"),
            ("http://127.0.0.1:5/x", "http://127.0.0.1:5"),
            ("http://[::1]:5/", "http:"),
        ],
    )
    def test_browsers_may_follow_the_form_there_and_nowhere_else(
        self, service: TestService, home: str, source: str
    ) -> None:
        policy = service.http.get(address(redirect_uri=home)).headers["Content-Security-Policy"]
        assert policy.endswith(f"form-action 'self' {source}")


class TestCodes:
    def test_a_code_that_comes_again_ends_the_session_it_gave(self, service: TestService, ada: Person) -> None:
        code = code_for(service, ada)
        tokens = redeem(service, code).json()
        assert me(service, tokens).status_code == 200
        again = redeem(service, code)
        assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
        assert me(service, tokens).status_code == 401
        assert refresh(service, tokens).status_code == 400
        (entry,) = service.database.rows("select user_id from audit_entry where action = 'code.replayed'")
        assert entry.user_id == ada.user_id

    def test_at_once_it_gives_one_session(self, service: TestService, ada: Person) -> None:
        code = code_for(service, ada)
        answers = at_once([lambda: redeem(service, code)] * 4)
        assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
        (session,) = service.database.rows("select revoked_at from refresh_token")
        assert session.revoked_at is not None

    @pytest.mark.parametrize(
        "wrong",
        [
            {"client_id": "coverslip-cli"},
            {"redirect_uri": "http://localhost:8989"},
            {"redirect_uri": "http://localhost:8990/"},
            {"code_verifier": "w" * 43},
            {"code_verifier": CHALLENGE},
            {"code_verifier": "ä"},
            {"code": "invented"},
        ],
    )
    def test_it_is_good_for_who_asked_alone(self, service: TestService, ada: Person, wrong: dict[str, str]) -> None:
        code = code_for(service, ada)
        refused = redeem(service, **({"code": code} | wrong))
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
        assert redeem(service, code).status_code == 200

    @pytest.mark.parametrize("missing", ["code", "redirect_uri", "code_verifier", "client_id"])
    def test_what_is_missing_is_named(self, service: TestService, ada: Person, missing: str) -> None:
        refused = redeem(service, **({"code": code_for(service, ada)} | {missing: ""}))
        assert (refused.json()["error"], missing in refused.json()["error_description"]) == ("invalid_request", True)

    def test_it_lasts_a_minute(self, service: TestService, ada: Person) -> None:
        code = code_for(service, ada)
        (row,) = service.database.rows("select expires_at - created_at as lifetime from authorization_code")
        assert row.lifetime == timedelta(seconds=60)
        service.database.rows("update authorization_code set expires_at = now()")
        assert redeem(service, code).status_code == 400

    def test_it_is_not_to_be_read_in_the_database_and_forgotten_in_time(
        self, service: TestService, ada: Person
    ) -> None:
        code = code_for(service, ada)
        assert code not in str(service.database.rows("select * from authorization_code"))
        service.database.rows("update authorization_code set expires_at = now() - interval '25 hours'")
        code_for(service, ada)
        assert len(service.database.rows("select * from authorization_code")) == 1

    def test_it_is_worth_nothing_once_the_user_has_left(self, service: TestService, ada: Person) -> None:
        code = code_for(service, ada)
        service.database.rows("delete from membership")
        assert redeem(service, code).json()["error"] == "invalid_grant"


class TestDevices:
    def test_a_published_client_asks_with_scope_and_audience(self, service: TestService) -> None:
        form = {"client_id": "aignostics", "scope": ["offline_access"], "audience": "coverslip-platform"}
        started = service.http.post("/oauth/device/code", data=form).raise_for_status().json()
        assert isinstance(started["interval"], int)
        assert started["verification_uri_complete"].endswith(started["user_code"])
        refused = service.http.post("/oauth/device/code", data=form | {"audience": "somebody-else"})
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_target")
