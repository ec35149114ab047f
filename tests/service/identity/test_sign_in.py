"""Signing in: the first login, one-time links, devices, sessions, passwords."""

from typing import Any

import httpx
import pytest

from coverslip.contract.identity import DEVICE_CODE_GRANT, ONE_TIME_LINK_GRANT
from coverslip.service.encryption import Cipher, EncryptionKeyMismatch
from coverslip.service.identity.commands import new_link
from coverslip.service.identity.passwords import hash_password, password_matches
from harness.people import Person
from harness.service import TestService, at_once

PASSWORD = "correct horse battery"
SETUP = {"organization": "Demo Lab", "email": "Ada@Example.org", "name": "Ada Lovelace"}


def link(service: TestService, email: str | None = None) -> str:
    made = service.run(new_link(service.context.database, email=email, only_first=False))
    assert made is not None
    return made


def token(service: TestService, **form: Any) -> httpx.Response:
    return service.http.post("/oauth/token", data={"client_id": "coverslip-cli"} | form)


def redeem(service: TestService, secret: str, **form: Any) -> httpx.Response:
    return token(service, grant_type=ONE_TIME_LINK_GRANT, link_secret=secret, **form)


def me(service: TestService, access_token: str) -> httpx.Response:
    return service.http.get("/api/v1/me", headers={"Authorization": f"Bearer {access_token}"})


def expire(service: TestService, table: str) -> None:
    service.database.rows(f"update {table} set expires_at = now() - interval '1 second'")


class TestFirstLogin:
    def test_it_founds_the_platform(self, service: TestService) -> None:
        answer = redeem(service, link(service), **SETUP).raise_for_status()
        assert answer.headers["Cache-Control"] == "no-store"
        body = answer.json()
        assert (body["token_type"], body["expires_in"]) == ("Bearer", 12 * 3600)
        found = me(service, body["access_token"]).json()
        assert (found["user"]["email"], found["user"]["name"]) == ("Ada@Example.org", "Ada Lovelace")
        assert (found["organization"]["name"], found["organization"]["display_name"]) == ("demo-lab", "Demo Lab")
        assert all(isinstance(value, str) for value in found["organization"].values())
        database = service.context.database
        assert service.run(new_link(database, email=None, only_first=True)) is None, "there is nothing left to set up"
        again = redeem(service, link(service)).json()["access_token"]
        assert me(service, again).json()["user"] == found["user"], "later links sign in the first administrator"

    def test_a_link_works_once_even_if_used_at_the_same_time(self, service: TestService) -> None:
        secret = link(service)
        answers = at_once([lambda: redeem(service, secret, **SETUP)] * 5)
        assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400, 400]
        refusals = {answer.json()["error"] for answer in answers if answer.status_code == 400}
        assert refusals == {"invalid_grant"}
        assert len(service.database.rows("select * from organization")) == 1

    def test_of_two_links_only_one_founds_the_platform(self, service: TestService) -> None:
        secrets = [link(service), link(service)]
        answers = at_once([lambda s=secret: redeem(service, s, **SETUP) for secret in secrets])
        assert sorted(answer.status_code for answer in answers) == [200, 400]
        assert len(service.database.rows("select * from user_account")) == 1

    def test_an_expired_or_invented_link_is_refused(self, service: TestService) -> None:
        secret = link(service)
        expire(service, "one_time_link")
        for wrong in (secret, "invented", ""):
            assert redeem(service, wrong, **SETUP).status_code == 400

    @pytest.mark.parametrize(
        "wrong",
        [
            {"organization": ""},
            {"organization": "x" * 101},
            {"email": "ada"},
            {"email": "a@b\n.org"},
            {"name": "  "},
            {"password": "short"},
            {"password": "x" * 257},
        ],
    )
    def test_a_wrong_form_leaves_the_link_unused(self, service: TestService, wrong: dict[str, str]) -> None:
        secret = link(service)
        refused = redeem(service, secret, **(SETUP | wrong))
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
        assert redeem(service, secret, **SETUP).status_code == 200

    def test_secrets_are_not_to_be_read_in_the_database(self, service: TestService) -> None:
        secret = link(service)
        refresh = redeem(service, secret, **SETUP, password=PASSWORD).json()["refresh_token"]
        device = service.http.post("/oauth/device/code", data={"client_id": "x"}).json()["device_code"]
        dump = "\n".join(
            str(row)
            for table in ("one_time_link", "refresh_token", "device_authorization", "user_account", "signing_key")
            for row in service.database.rows(f"select * from {table}")
        )
        pem = service.context.issuer.keys.current.as_pem(private=True)
        assert not [kept for kept in (secret, refresh, device, PASSWORD, pem.decode()[40:80]) if kept in dump]
        (row,) = service.database.rows("select private_key_encrypted from signing_key")
        encrypted = bytes(row.private_key_encrypted)
        assert Cipher.from_file(service.settings.encryption_key_file).decrypt(encrypted) == pem
        for cipher, stored in (
            (Cipher(b"x" * 32), encrypted),
            (Cipher.from_file(service.settings.encryption_key_file), encrypted[:-1] + bytes([encrypted[-1] ^ 1])),
        ):
            with pytest.raises(EncryptionKeyMismatch):
                cipher.decrypt(stored)


class TestLoginLink:
    def test_it_signs_in_its_user_once(self, service: TestService) -> None:
        ada = service.member()
        secret = link(service, ada.email.upper())
        answer = redeem(service, secret).raise_for_status()
        assert me(service, answer.json()["access_token"]).json()["user"]["id"] == ada.user_id
        assert redeem(service, secret).status_code == 400

    def test_there_is_none_for_strangers_and_disabled_accounts(self, service: TestService) -> None:
        ada = service.member()
        service.database.rows("update user_account set disabled_at = now()")
        for email in (ada.email, "nobody@example.org"):
            assert service.run(new_link(service.context.database, email=email, only_first=False)) is None

    def test_a_mistyped_code_does_not_use_it_up(self, service: TestService) -> None:
        ada = service.member()
        secret = link(service, ada.email)
        device = service.http.post("/oauth/device/code", data={"client_id": "coverslip-cli"}).json()
        assert service.http.post("/welcome", data={"link": secret, "user_code": "NOPE-NOPE"}).status_code == 400
        confirmed = service.http.post("/welcome", data={"link": secret, "user_code": device["user_code"].lower()})
        assert confirmed.status_code == 200
        assert token(service, grant_type=DEVICE_CODE_GRANT, device_code=device["device_code"]).status_code == 200
        assert service.http.post("/welcome", data={"link": secret, "user_code": "NOPE-NOPE"}).status_code == 400


class TestDevices:
    @pytest.fixture
    def ada(self, service: TestService) -> Person:
        return service.person(service.organization(), password=PASSWORD)

    def start(self, service: TestService) -> Any:
        return service.http.post("/oauth/device/code", data={"client_id": "coverslip-cli"}).raise_for_status().json()

    def poll(self, service: TestService, device: Any) -> httpx.Response:
        return token(service, grant_type=DEVICE_CODE_GRANT, device_code=device["device_code"])

    def confirm(self, service: TestService, device: Any, ada: Person, password: str = PASSWORD) -> httpx.Response:
        form = {"user_code": device["user_code"], "email": ada.email, "password": password}
        return service.http.post("/device", data=form)

    def test_a_device_waits_until_it_is_confirmed_and_is_signed_in_once(
        self, service: TestService, ada: Person
    ) -> None:
        device = self.start(service)
        assert device["verification_uri_complete"].startswith(f"{service.url}/device?user_code=")
        assert self.poll(service, device).json()["error"] == "authorization_pending"
        assert self.confirm(service, device, ada).status_code == 200
        answers = at_once([lambda: self.poll(service, device)] * 4)
        assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
        (signed_in,) = [answer.json() for answer in answers if answer.status_code == 200]
        assert me(service, signed_in["access_token"]).json()["user"]["id"] == ada.user_id

    def test_an_expired_device_code(self, service: TestService, ada: Person) -> None:
        device = self.start(service)
        expire(service, "device_authorization")
        assert self.poll(service, device).json()["error"] == "expired_token"
        assert self.confirm(service, device, ada).status_code == 400

    def test_wrong_codes(self, service: TestService, ada: Person) -> None:
        assert self.poll(service, {"device_code": "invented"}).json()["error"] == "invalid_grant"
        assert self.confirm(service, {"user_code": "BBBB-BBBB"}, ada).status_code == 400

    def test_a_confirmed_code_cannot_be_taken_over(self, service: TestService, ada: Person) -> None:
        mallory = service.person(service.organization(), password=PASSWORD)
        device = self.start(service)
        self.confirm(service, device, ada)
        assert self.confirm(service, device, mallory).status_code == 400
        assert me(service, self.poll(service, device).json()["access_token"]).json()["user"]["id"] == ada.user_id

    def test_a_wrong_password_confirms_nothing(self, service: TestService, ada: Person) -> None:
        device = self.start(service)
        assert "is wrong" in self.confirm(service, device, ada, "wrong").text
        assert self.poll(service, device).json()["error"] == "authorization_pending"

    def test_guessing_is_throttled_even_if_all_guesses_come_at_once(self, service: TestService, ada: Person) -> None:
        device = self.start(service)
        pages = at_once(
            [lambda n=number: self.confirm(service, device, ada, f"guess {n}").text for number in range(12)]
        )
        assert sum("is wrong" in page for page in pages) == 5
        assert sum("Too many" in page for page in pages) == 7
        assert "Too many" in self.confirm(service, device, ada).text, "the right password must not tell itself apart"
        service.database.rows("update login_failure set failed_at = now() - interval '16 minutes'")
        assert self.confirm(service, device, ada).status_code == 200
        assert service.database.rows("select * from login_failure") == []

    def test_every_spelling_of_an_address_counts(self, service: TestService, ada: Person) -> None:
        service.database.rows("update user_account set email = 'vivien@example.org' where id = %s", ada.user_id)
        # To PostgreSQL these are one address; Python makes two characters of İ.
        spellings = [f"v{i}v{j}en@example.org" for i in "iIİ" for j in "iIİ"]
        form = {"user_code": "BBBB-BBBB", "password": "guess"}
        pages = [service.http.post("/device", data=form | {"email": email}).text for email in spellings]
        assert sum("is wrong" in page for page in pages) == 5

    def test_a_scope_is_granted_once(self, service: TestService) -> None:
        form = {"client_id": "any", "scope": "openid email openid  offline_access email " * 1000}
        service.http.post("/oauth/device/code", data=form).raise_for_status()
        (kept,) = service.database.rows("select scope from device_authorization")
        assert kept.scope == "openid email offline_access"

    def test_accounts_that_do_not_exist_look_the_same(self, service: TestService, ada: Person) -> None:
        device = self.start(service)
        stranger = {"user_code": device["user_code"], "email": "nobody@example.org", "password": "x"}
        known = self.confirm(service, device, ada, "x").text.replace(ada.email, "")
        assert service.http.post("/device", data=stranger).text.replace("nobody@example.org", "") == known


class TestSessions:
    def test_a_session_is_renewed_until_it_is_revoked(self, service: TestService) -> None:
        session = redeem(service, link(service), **SETUP).json()
        for _ in range(2):
            renewed = token(service, grant_type="refresh_token", refresh_token=session["refresh_token"])
            assert renewed.json()["refresh_token"] == session["refresh_token"]
            assert me(service, renewed.json()["access_token"]).status_code == 200
        for known in (session["refresh_token"], "invented"):
            assert service.http.post("/oauth/revoke", data={"token": known}).status_code == 200
        ended = token(service, grant_type="refresh_token", refresh_token=session["refresh_token"])
        assert (ended.status_code, ended.json()["error"]) == (400, "invalid_grant")

    @pytest.mark.parametrize(
        "change",
        [
            "update refresh_token set expires_at = now() - interval '1 second'",
            "update user_account set disabled_at = now()",
            "delete from membership",
        ],
    )
    def test_a_session_ends_with_its_reason_to_be(self, service: TestService, change: str) -> None:
        session = redeem(service, link(service), **SETUP).json()
        service.database.rows(change)
        renewed = token(service, grant_type="refresh_token", refresh_token=session["refresh_token"])
        assert (renewed.status_code, renewed.json()["error"]) == (400, "invalid_grant")

    def test_what_is_missing_or_unknown_is_named(self, service: TestService) -> None:
        cases: list[tuple[dict[str, str], str, str]] = [
            ({}, "invalid_request", "grant_type"),
            ({"client_id": ""}, "invalid_request", "client_id"),
            ({"grant_type": "password"}, "unsupported_grant_type", "password"),
            ({"grant_type": "refresh_token"}, "invalid_request", "refresh_token"),
            ({"grant_type": DEVICE_CODE_GRANT}, "invalid_request", "device_code"),
            ({"grant_type": ONE_TIME_LINK_GRANT}, "invalid_request", "link_secret"),
        ]
        for form, error, named in cases:
            refused = token(service, **form)
            assert (refused.status_code, refused.json()["error"]) == (400, error)
            assert named in refused.json()["error_description"]


def test_discovery_leads_to_what_is_there(service: TestService) -> None:
    addresses = [
        "/.well-known/openid-configuration",
        "/oauth/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
    ]
    found, *same = [service.http.get(address).raise_for_status().json() for address in addresses]
    assert same == [found, found]
    assert found["issuer"] == f"{service.url}/"
    assert service.http.get(found["jwks_uri"]).status_code == 200
    for name in ("token_endpoint", "device_authorization_endpoint", "revocation_endpoint"):
        assert service.http.post(found[name]).status_code in (400, 422)
    assert "knows no client" in service.http.get(found["authorization_endpoint"]).text
    assert service.http.get(found["userinfo_endpoint"]).status_code == 401
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert "authorization_response_iss_parameter_supported" not in found


def test_the_platform_says_what_a_client_must_know(service: TestService) -> None:
    found = service.http.get("/.well-known/coverslip").json()
    assert (found["api_root"], found["audience"]) == (service.url, "coverslip-platform")
    discovery = service.http.get("/.well-known/openid-configuration").json()
    shared = found.keys() & discovery.keys()
    assert len(shared) == 5
    assert {name: discovery[name] for name in shared} == {name: found[name] for name in shared}


@pytest.mark.parametrize("given", ["", "wrong", PASSWORD + "x", PASSWORD[:-1]])
def test_passwords(service: TestService, given: str) -> None:
    stored = service.run(hash_password(PASSWORD))
    assert stored.startswith("$argon2id$")
    assert service.run(password_matches(PASSWORD, stored))
    assert not service.run(password_matches(given, stored))
    assert not service.run(password_matches(given, None))
