"""Webhooks are registered, changed and deleted by those who may."""

import re
from typing import Any

import pytest

from coverslip.service.access.principal import Role
from harness.people import Person
from harness.receiver import Receiver
from harness.service import TestService
from harness.webhooks import (
    ELSEWHERE,
    WEBHOOKS,
    cancelled,
    deliveries,
    read,
    register,
)


class TestRegistering:
    def test_the_secret_is_shown_once_and_stored_encrypted(self, service: TestService, ada: Person) -> None:
        webhook = register(ada, ELSEWHERE, description="LIMS", event_kinds=["run.terminated"])
        secret = webhook.pop("secret")
        assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", secret)
        assert read(ada, webhook) == webhook
        assert ada.get(WEBHOOKS).json() == [webhook]
        assert (webhook["scope"], webhook["enabled"], webhook["created_by"]) == ("OWN_RUNS", True, ada.user_id)
        (row,) = service.database.rows("select webhook::text, secret_encrypted from webhook")
        assert secret.encode() not in bytes(row.secret_encrypted)
        assert secret not in row.webhook
        assert secret not in str(service.database.rows("select audit_entry::text from audit_entry"))

    def test_changing(self, ada: Person) -> None:
        webhook = register(ada, ELSEWHERE, event_kinds=["run.terminated"], description="old")
        path = f"{WEBHOOKS}/{webhook['webhook_id']}"
        changed = ada.patch(path, json={"description": "new"}).json()
        assert (changed["description"], changed["event_kinds"]) == ("new", ["run.terminated"])
        changed = ada.patch(path, json={"event_kinds": None, "url": "https://other.example/"}).json()
        assert (changed["event_kinds"], changed["url"]) == (None, "https://other.example/")
        off = ada.patch(path, json={"enabled": False}).json()
        assert (off["enabled"], off["disabled_reason"]) == (False, "BY_USER")
        assert ada.patch(path, json={"enabled": True}).json()["enabled"]
        assert ada.patch(path, json={}).json() == read(ada, webhook)
        assert ada.delete(path).status_code == 204
        assert ada.delete(path).status_code == 404

    @pytest.mark.parametrize(
        "wrong",
        [
            {"url": "lims.example"},
            {"url": ELSEWHERE, "event_kinds": []},
            {"url": ELSEWHERE, "event_kinds": ["run.unknown"]},
            {"url": ELSEWHERE, "scope": "PLATFORM"},
        ],
    )
    def test_what_is_not_valid(self, ada: Person, wrong: dict[str, Any]) -> None:
        assert ada.post(WEBHOOKS, json=wrong).status_code == 422

    def test_where_nothing_can_be_sent_nothing_is_registered(self, ada: Person) -> None:
        for url in ("http://lims.example/hook", "http://localhost:9/", "https://lims.example:99999/"):
            refused = ada.post(WEBHOOKS, json={"url": url}, headers={"Accept": "application/problem+json"})
            assert (refused.status_code, refused.json()["code"]) == (400, "WEBHOOK.URL_REFUSED")
        webhook = register(ada, ELSEWHERE)
        assert ada.patch(f"{WEBHOOKS}/{webhook['webhook_id']}", json={"url": "http://lims.example/"}).status_code == 400

    def test_there_is_a_most(self, ada: Person) -> None:
        for _ in range(20):
            register(ada, ELSEWHERE)
        assert ada.post(WEBHOOKS, json={"url": ELSEWHERE}).status_code == 409

    def test_what_is_done_is_audited(self, service: TestService, ada: Person) -> None:
        webhook = register(ada, "https://lims.example/hook?token=do-not-keep")
        path = f"{WEBHOOKS}/{webhook['webhook_id']}"
        ada.patch(path, json={"enabled": False})
        ada.post(f"{path}/secret")
        ada.delete(path)
        rows = service.database.rows(
            "select action, user_id, details::text from audit_entry where subject = %s order by number",
            webhook["webhook_id"],
        )
        assert [row.action.removeprefix("webhook.") for row in rows] == [
            "created",
            "changed",
            "secret_rotated",
            "deleted",
        ]
        assert {row.user_id for row in rows} == {ada.user_id}
        assert all("lims.example" in row.details and "do-not-keep" not in row.details for row in rows)


class TestAccess:
    def test_only_administrators_register_for_the_organization(self, service: TestService) -> None:
        here = service.organization()
        request = {"url": ELSEWHERE, "scope": "ORGANIZATION"}
        assert service.person(here).post(WEBHOOKS, json=request).status_code == 403
        assert service.person(here, Role.ADMIN).post(WEBHOOKS, json=request).status_code == 201

    def test_who_may_see_and_change_a_webhook(self, service: TestService) -> None:
        here, there = service.organization(), service.organization()
        ada, boss = service.person(here), service.person(here, Role.ADMIN)
        of_ada, of_all = register(ada, ELSEWHERE), register(boss, ELSEWHERE, scope="ORGANIZATION")
        cancelled(ada)
        delivery = deliveries(ada, of_ada)[0]["delivery_id"]

        def statuses(person: Person, webhook: dict[str, Any]) -> set[int]:
            path = f"{WEBHOOKS}/{webhook['webhook_id']}"
            return {
                person.get(path).status_code,
                person.patch(path, json={"description": "x"}).status_code,
                person.patch(path, json={}).status_code,
                person.get(f"{path}/deliveries").status_code,
                person.post(f"{path}/deliveries/{delivery}/redeliver").status_code,
                person.post(f"{path}/secret").status_code,
                person.post(f"{path}/ping").status_code,
                person.delete(path).status_code,
            }

        strangers = [service.person(there, role) for role in Role]
        for stranger in (*strangers, service.person(here)):
            assert statuses(stranger, of_ada) == statuses(stranger, of_all) == {404}
            assert stranger.get(WEBHOOKS).json() == []
        assert statuses(ada, of_all) == {404}
        listed = boss.get(WEBHOOKS).json()
        assert {webhook["webhook_id"] for webhook in listed} == {of_ada["webhook_id"], of_all["webhook_id"]}
        # A delivery of one webhook is not to be found under another.
        other = f"{WEBHOOKS}/{of_all['webhook_id']}/deliveries/{delivery}/redeliver"
        assert boss.post(other).status_code == 404
        assert statuses(boss, of_ada) == {200, 202, 204}

    def test_each_is_told_of_the_runs_it_is_for(self, service: TestService, receiver: Receiver) -> None:
        here = service.organization()
        ada, bob, boss = service.person(here), service.person(here), service.person(here, Role.ADMIN)
        stranger = service.person(service.organization(), Role.ADMIN)
        register(ada, f"{receiver.url}/ada", event_kinds=["run.submitted"])
        register(boss, f"{receiver.url}/boss", event_kinds=["run.submitted"])
        register(boss, f"{receiver.url}/all", event_kinds=["run.submitted"], scope="ORGANIZATION")
        register(stranger, f"{receiver.url}/other", event_kinds=["run.submitted"], scope="ORGANIZATION")
        runs = {person: person.submit("a") for person in (ada, bob, boss, stranger)}
        told = {(one.path, one.event[0]) for one in receiver.wait_for(6)}
        assert told == {
            ("/hook/ada", runs[ada]),
            ("/hook/boss", runs[boss]),
            ("/hook/all", runs[ada]),
            ("/hook/all", runs[bob]),
            ("/hook/all", runs[boss]),
            ("/hook/other", runs[stranger]),
        }

    def test_who_has_left_is_told_no_more(self, service: TestService, receiver: Receiver) -> None:
        here = service.organization()
        ada, boss = service.person(here), service.person(here, Role.ADMIN)
        webhook = register(ada, receiver.url)
        run_id = ada.submit("a")
        receiver.wait_for(1)
        service.database.rows("delete from membership where user_id = %s", ada.user_id)
        boss.post(f"/api/v1/runs/{run_id}/cancel").raise_for_status()
        assert [delivery["number"] for delivery in deliveries(boss, webhook)] == [1]
