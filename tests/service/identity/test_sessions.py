"""Sessions of one's own: listed, added for other clients, ended."""

from typing import Any

import httpx
import pytest

from coverslip.contract.identity import ONE_TIME_LINK_GRANT
from coverslip.service.identity.commands import new_link
from harness.people import Person
from harness.service import TestService

SESSIONS = "/api/coverslip/v1/sessions"


def signed_in(service: TestService, person: Person) -> Any:
    secret = service.run(new_link(service.context.database, email=person.email, only_first=False))
    form = {"grant_type": ONE_TIME_LINK_GRANT, "client_id": "coverslip-cli", "link_secret": secret}
    tokens = service.http.post("/oauth/token", data=form).raise_for_status().json()
    person.headers["Authorization"] = f"Bearer {tokens['access_token']}"
    return tokens


def add(person: Person, tokens: Any, **changes: Any) -> httpx.Response:
    body = {"refresh_token": tokens["refresh_token"], "client_id": "aignostics", "label": "on a laptop"}
    return person.post(SESSIONS, json=body | changes)


def refresh(service: TestService, token: str, client_id: str) -> httpx.Response:
    form = {"grant_type": "refresh_token", "client_id": client_id, "refresh_token": token}
    return service.http.post("/oauth/token", data=form)


@pytest.fixture
def ada(service: TestService) -> Person:
    return service.member()


def test_another_client_gets_a_session_of_its_own(service: TestService, ada: Person) -> None:
    tokens = signed_in(service, ada)
    answer = add(ada, tokens)
    assert answer.status_code == 201
    added = answer.json()
    assert added["refresh_token"] != tokens["refresh_token"]
    renewed = refresh(service, added["refresh_token"], "aignostics").json()
    assert renewed["refresh_token"] == added["refresh_token"], "published clients miss a new one"
    listed = ada.get(SESSIONS).json()
    assert [(one["client_id"], one["label"]) for one in listed] == [
        ("aignostics", "on a laptop"),
        ("coverslip-cli", None),
    ]
    assert all(one["last_used_at"] for one in listed)
    assert "token" not in str(listed).replace("refresh_token", ""), "what opens a session is shown once"
    assert "refresh_token" not in listed[0]
    (entry,) = service.database.rows("select user_id, details from audit_entry where action = 'session.added'")
    assert (entry.user_id, entry.details["client_id"]) == (ada.user_id, "aignostics")


def test_ending_one_ends_its_tokens_and_no_others(service: TestService, ada: Person) -> None:
    tokens = signed_in(service, ada)
    added = add(ada, tokens).json()
    renewed = refresh(service, added["refresh_token"], "aignostics").json()
    bearer = {"Authorization": f"Bearer {renewed['access_token']}"}
    assert service.http.get("/api/v1/me", headers=bearer).status_code == 200
    assert ada.delete(f"{SESSIONS}/{added['session_id']}").status_code == 204
    assert service.http.get("/api/v1/me", headers=bearer).status_code == 401
    assert refresh(service, added["refresh_token"], "aignostics").status_code == 400
    assert ada.delete(f"{SESSIONS}/{added['session_id']}").status_code == 404
    assert [one["client_id"] for one in ada.get(SESSIONS).json()] == ["coverslip-cli"]


def test_logging_out_ends_the_access_token_too(service: TestService, ada: Person) -> None:
    for kind in ("refresh_token", "access_token"):
        tokens = signed_in(service, ada)
        assert ada.get("/api/v1/me").status_code == 200
        service.http.post("/oauth/revoke", data={"token": tokens[kind]}).raise_for_status()
        assert ada.get("/api/v1/me").status_code == 401


def test_an_access_token_alone_cannot_prolong_itself(service: TestService, ada: Person) -> None:
    tokens = signed_in(service, ada)
    mallory = service.member()
    for person, proof in ((mallory, tokens["refresh_token"]), (ada, "invented"), (ada, tokens["access_token"])):
        assert add(person, tokens, refresh_token=proof).status_code == 403
    assert len(service.database.rows("select * from refresh_token")) == 1


def test_sessions_of_others_are_not_there(service: TestService, ada: Person) -> None:
    added = add(ada, signed_in(service, ada)).json()
    mallory = service.member()
    assert mallory.get(SESSIONS).json() == []
    assert mallory.delete(f"{SESSIONS}/{added['session_id']}").status_code == 404
    assert refresh(service, added["refresh_token"], "aignostics").status_code == 200


def test_a_refresh_token_serves_its_own_client(service: TestService, ada: Person) -> None:
    tokens = signed_in(service, ada)
    assert refresh(service, tokens["refresh_token"], "aignostics").json()["error"] == "invalid_grant"
    assert refresh(service, tokens["refresh_token"], "coverslip-cli").status_code == 200
