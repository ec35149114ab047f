"""Webhooks: a real receiver on loopback is told by the real service what happens to runs."""

import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coverslip.fetching.allow_list import AllowList
from coverslip.service.access.principal import Role
from coverslip.service.access.rules import AllRuns
from coverslip.service.database.scope import PlatformScope
from coverslip.service.events.queries import NewEvent
from coverslip.service.runs.queries import lock_run, save_run
from coverslip.service.webhooks.rules import ORDERED_ATTEMPTS, delay_after, fault_of_url, is_given_up
from coverslip.service.webhooks.signing import signature
from harness.people import Person
from harness.receiver import Answer, Receiver, is_signed
from harness.service import TestService, at_once

WEBHOOKS = "/api/coverslip/v1/webhooks"
ELSEWHERE = "https://lims.example/hook"
SENDING = {
    "fetch_allow": ("127.0.0.1",),
    "webhook_connections": 8,
    "webhook_retry_s": 0.02,
}
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@pytest.fixture(scope="module")
def running_sender(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestService]:
    """A service that sends, and may reach this machine."""
    with TestService(postgres, tmp_path_factory.mktemp("store"), **SENDING) as service:
        yield service


@pytest.fixture
def service(running_sender: TestService) -> Iterator[TestService]:
    running_sender.clear()
    yield running_sender
    # What is being sent comes to its end before the rows are deleted.
    running_sender.database.rows("update webhook set disabled_reason = 'BY_USER'")
    until(lambda: not being_sent(running_sender), "nothing is being sent")


@pytest.fixture
def receiver(service: TestService) -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def impatient(service: TestService, monkeypatch: pytest.MonkeyPatch) -> None:
    """Receivers have to answer soon."""
    monkeypatch.setattr(service.context.sender, "_timeout_s", 0.5)


@pytest.fixture
def ada(service: TestService) -> Person:
    return service.member()


def register(person: Person, url: str, **fields: Any) -> dict[str, Any]:
    response = person.post(WEBHOOKS, json={"url": url} | fields)
    assert response.status_code == 201, response.text
    webhook: dict[str, Any] = response.json()
    return webhook


def deliveries(person: Person, webhook: dict[str, Any], **parameters: Any) -> list[dict[str, Any]]:
    """What the API tells of a webhook's deliveries, oldest first."""
    path = f"{WEBHOOKS}/{webhook['webhook_id']}/deliveries"
    found: list[dict[str, Any]] = person.get(path, params={"page_size": 100} | parameters).raise_for_status().json()
    return found[::-1]


def read(person: Person, webhook: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = person.get(f"{WEBHOOKS}/{webhook['webhook_id']}").raise_for_status().json()
    return found


def events(person: Person, run_id: str) -> list[dict[str, Any]]:
    found = person.get(f"/api/coverslip/v1/runs/{run_id}/events", params={"limit": 1000}).raise_for_status()
    listed: list[dict[str, Any]] = found.json()
    return listed


def being_sent(service: TestService) -> int:
    return len(service.database.rows("select id from webhook_delivery where claimed_until is not null"))


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def cancelled(person: Person, *external_ids: str, **fields: Any) -> str:
    """A run of three or more events: submitted, its items terminated, terminated."""
    run_id = person.submit(*external_ids, **fields)
    person.post(f"/api/v1/runs/{run_id}/cancel").raise_for_status()
    return run_id


def until(condition: Callable[[], bool], what: str) -> None:
    give_up_at = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < give_up_at, f"in vain waited for: {what}"
        time.sleep(0.01)


def until_state(person: Person, webhook: dict[str, Any], state: str, count: int) -> list[dict[str, Any]]:
    until(lambda: len(deliveries(person, webhook, state=state)) == count, f"{count} deliveries {state}")
    return deliveries(person, webhook, state=state)


class TestRules:
    def test_the_signature_is_that_of_the_specification(self) -> None:
        """The test vector that the libraries of Standard Webhooks share."""
        secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        found = signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', [secret])
        assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

    @given(failures=st.integers(1, 10_000), jitter=st.floats(0, 1), asked=st.none() | st.floats(0, 1e9))
    def test_the_wait_grows_and_has_an_end(self, failures: int, jitter: float, asked: float | None) -> None:
        delay = delay_after(failures, first_s=5, jitter=jitter, retry_after_s=asked)
        usual = min(5 * 3 ** min(failures - 1, 20), 4 * 3600)
        assert 0.8 * usual <= delay.total_seconds() <= max(1.2 * usual, min(asked or 0, 4 * 3600))

    def test_with_the_usual_wait_a_delivery_is_tried_for_a_day(self) -> None:
        trying_for, attempts = timedelta(), 1
        while True:
            delay = delay_after(attempts, first_s=5, jitter=0.5, retry_after_s=None)
            if is_given_up(trying_for=trying_for, delay=delay):
                break
            trying_for, attempts = trying_for + delay, attempts + 1
            if attempts == ORDERED_ATTEMPTS + 1:
                assert timedelta(minutes=9) < trying_for - delay < timedelta(minutes=11)
        assert timedelta(hours=18) < trying_for <= timedelta(hours=24)
        assert 10 < attempts < 16

    @pytest.mark.parametrize(
        ("url", "is_fine"),
        [
            ("https://lims.example/hook?key=1", True),
            ("https://8.8.8.8:8443/", True),
            ("http://lims.hospital.example/hook", True),
            ("http://10.1.2.3:9000/", True),
            ("http://lims.example/hook", False),
            ("http://lims.hospital.example.evil.example/", False),
            ("http://lims.hospital.example@evil.example/", False),
            ("http://evil.example\\@lims.hospital.example/", False),
            ("https://ada:secret@lims.example/", False),
            ("ftp://lims.hospital.example/", False),
            ("https://lims.example:99999/", False),
        ],
    )
    def test_where_a_webhook_may_lead(self, url: str, is_fine: bool) -> None:
        allowed = AllowList(["lims.hospital.example", "10.0.0.0/8"])
        assert (fault_of_url(url, allowed) is None) == is_fine


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


class TestDelivering:
    def test_every_event_comes_signed_and_in_order(self, service: TestService, receiver: Receiver, ada: Person) -> None:
        webhook = register(ada, receiver.url)
        context = {"order": 4711, "note": "größe µm"}
        run_id = ada.submit("a", "b", callback_context=context)
        service.worker().finish_all()
        happened = events(ada, run_id)
        found = receiver.wait_for(len(happened))
        assert [one.event for one in found] == [(run_id, event["number"]) for event in happened]
        assert all(is_signed(one, webhook["secret"]) for one in found)
        assert len({one.id for one in found}) == len(found)
        for one, event in zip(found, happened, strict=True):
            assert one.headers["content-type"] == "application/json"
            assert one.message["type"] == event["kind"]
            assert INSTANT.fullmatch(one.message["timestamp"])
            kept = {name: event[name] for name in ("number", "item_id", "external_id", "payload")}
            assert one.message["data"] == kept | {"run_id": run_id, "callback_context": context}
        for delivery in until_state(ada, webhook, "DELIVERED", len(happened)):
            assert (delivery["attempts"], delivery["last_status_code"], delivery["last_error"]) == (1, 204, None)
            assert delivery["next_attempt_at"] is None
        assert {f"msg_{delivery['delivery_id']}" for delivery in deliveries(ada, webhook)} == {one.id for one in found}

    def test_only_the_kinds_that_are_asked_for(self, service: TestService, receiver: Receiver, ada: Person) -> None:
        register(ada, receiver.url, event_kinds=["run.terminated", "item.terminated"])
        ada.submit("a")
        service.worker().finish_all()
        cancelled(ada)
        kinds = [one.message["type"] for one in receiver.wait_for(4)]
        assert sorted(kinds) == ["item.terminated", "item.terminated", "run.terminated", "run.terminated"]

    def test_a_body_that_was_changed_is_not_signed(self, receiver: Receiver, ada: Person) -> None:
        webhook = register(ada, receiver.url)
        cancelled(ada)
        one, other = receiver.wait_for(2)[:2]
        assert not is_signed(type(one)(one.path, one.headers, other.body, 204), webhook["secret"])
        assert not is_signed(one, register(ada, ELSEWHERE)["secret"])

    @pytest.mark.parametrize(
        ("answer", "status", "error"),
        [
            (Answer(500), 500, "answered 500"),
            (Answer(404), 404, "answered 404"),
            (Answer(304), 304, "answered 304"),
            (Answer(delay_s=1.5), None, "did not answer within 0.5 s"),
            (Answer(hang_up=True), None, ""),
            (Answer(503, headers=(("retry-after", "0"),)), 503, "answered 503"),
            (Answer(503, headers=(("retry-after", "never"),)), 503, "answered 503"),
        ],
    )
    @pytest.mark.usefixtures("impatient")
    def test_what_fails_is_tried_again_and_the_rest_waits_for_it(
        self, receiver: Receiver, ada: Person, answer: Answer, status: int | None, error: str
    ) -> None:
        receiver.usual = answer
        webhook = register(ada, receiver.url)
        run_id = cancelled(ada)
        until(lambda: deliveries(ada, webhook)[0]["attempts"] >= 2, "two attempts")
        first, *rest = deliveries(ada, webhook)
        assert [(delivery["attempts"], delivery["next_attempt_at"]) for delivery in rest] == [(0, None)] * 2
        assert first["last_status_code"] == status
        assert error in first["last_error"]
        assert read(ada, webhook)["failing_since"] is not None
        receiver.usual = Answer()
        delivered = until_state(ada, webhook, "DELIVERED", 3)
        assert [delivery["attempts"] for delivery in delivered[1:]] == [1, 1]
        assert list(dict.fromkeys(one.event for one in receiver.all)) == [(run_id, number) for number in (1, 2, 3)]
        assert len({one.id for one in receiver.all}) == 3
        assert read(ada, webhook)["failing_since"] is None

    def test_a_receiver_that_is_away_gets_everything_when_it_is_back(self, receiver: Receiver, ada: Person) -> None:
        webhook = register(ada, receiver.url)
        receiver.stop()
        run_id = cancelled(ada, "a", "b")
        until(lambda: deliveries(ada, webhook)[0]["attempts"] >= 2, "two attempts")
        assert [delivery["attempts"] for delivery in deliveries(ada, webhook)[1:]] == [0, 0, 0]
        assert "connect" in deliveries(ada, webhook)[0]["last_error"].lower()
        receiver.start()
        assert [one.event for one in receiver.wait_for(4)] == [(run_id, number) for number in (1, 2, 3, 4)]

    def test_an_event_that_is_refused_for_long_lets_others_go_ahead(self, receiver: Receiver, ada: Person) -> None:
        receiver.refused_numbers = {1}
        webhook = register(ada, receiver.url)
        run_id = cancelled(ada)
        until_state(ada, webhook, "DELIVERED", 2)
        assert [one.event for one in receiver.taken] == [(run_id, 2), (run_id, 3)]
        assert deliveries(ada, webhook)[0]["attempts"] >= ORDERED_ATTEMPTS
        assert [one.event[1] for one in receiver.all].index(2) == ORDERED_ATTEMPTS

    def test_one_run_does_not_wait_for_another(self, receiver: Receiver, ada: Person) -> None:
        receiver.refused_numbers = {2}
        register(ada, receiver.url)
        first, second = cancelled(ada), cancelled(ada)
        found = receiver.wait_for(2)
        assert {one.event for one in found[:2]} == {(first, 1), (second, 1)}

    def test_a_receiver_may_ask_for_more_time(self, receiver: Receiver, ada: Person) -> None:
        receiver.answers.append(Answer(429, headers=(("retry-after", "7200"),)))
        webhook = register(ada, receiver.url)
        ada.submit("a")
        until(lambda: deliveries(ada, webhook)[0]["attempts"] == 1, "the first attempt")
        delivery = deliveries(ada, webhook)[0]
        waits = instant(delivery["next_attempt_at"]) - instant(delivery["last_attempt_at"])
        assert timedelta(minutes=119) < waits < timedelta(minutes=121)

    def test_after_a_day_a_delivery_is_given_up_and_can_be_sent_again(
        self, service: TestService, receiver: Receiver, ada: Person
    ) -> None:
        receiver.usual = Answer(500)
        webhook = register(ada, receiver.url, event_kinds=["run.submitted"])
        ada.submit("a")
        until(lambda: deliveries(ada, webhook)[0]["attempts"] >= 1, "the first attempt")
        service.database.rows("update webhook_delivery set first_attempt_at = now() - interval '25 hours'")
        (failed,) = until_state(ada, webhook, "FAILED", 1)
        assert failed["next_attempt_at"] is None
        assert read(ada, webhook)["enabled"]
        receiver.usual = Answer()
        path = f"{WEBHOOKS}/{webhook['webhook_id']}/deliveries/{failed['delivery_id']}/redeliver"
        assert ada.post(path).status_code == 202
        until_state(ada, webhook, "DELIVERED", 1)
        assert {one.id for one in receiver.all} == {f"msg_{failed['delivery_id']}"}

    def test_what_was_delivered_can_be_sent_again(self, receiver: Receiver, ada: Person) -> None:
        webhook = register(ada, receiver.url)
        cancelled(ada)
        second = until_state(ada, webhook, "DELIVERED", 3)[1]["delivery_id"]
        path = f"{WEBHOOKS}/{webhook['webhook_id']}/deliveries"
        assert ada.post(f"{path}/{second}/redeliver").status_code == 202
        assert receiver.wait_for(4)[-1].id == f"msg_{second}"
        assert ada.post(f"{path}/{uuid4()}/redeliver").status_code == 404

    @pytest.mark.usefixtures("impatient")
    def test_a_ping_says_at_once_how_it_went(self, receiver: Receiver, ada: Person) -> None:
        webhook = register(ada, receiver.url)
        path = f"{WEBHOOKS}/{webhook['webhook_id']}"
        ada.patch(path, json={"enabled": False})
        answer = ada.post(f"{path}/ping").json()
        assert (answer["delivered"], answer["status_code"], answer["error"]) == (True, 204, None)
        assert (receiver.all[0].message["type"], receiver.all[0].message["data"]) == ("webhook.ping", None)
        assert is_signed(receiver.all[0], webhook["secret"])
        receiver.usual = Answer(delay_s=1)
        answer = ada.post(f"{path}/ping").json()
        assert (answer["delivered"], answer["status_code"]) == (False, None)
        assert "did not answer" in answer["error"]
        assert deliveries(ada, webhook) == []

    def test_a_new_secret_is_used_beside_the_old_one_for_a_day(
        self, service: TestService, receiver: Receiver, ada: Person
    ) -> None:
        webhook = register(ada, receiver.url)
        path = f"{WEBHOOKS}/{webhook['webhook_id']}"
        rotated = ada.post(f"{path}/secret").json()
        assert instant(rotated["previous_valid_until"]) > instant(webhook["created_at"]) + timedelta(hours=23)
        cancelled(ada)
        ada.post(f"{path}/ping")
        for one in receiver.wait_for(4):
            assert is_signed(one, rotated["secret"])
            assert is_signed(one, webhook["secret"])
        service.database.rows("update webhook set previous_secret_until = now()")
        receiver.all.clear()
        cancelled(ada)
        ada.post(f"{path}/ping")
        for one in receiver.wait_for(4):
            assert is_signed(one, rotated["secret"])
            assert not is_signed(one, webhook["secret"])


class TestDisabling:
    def test_a_disabled_webhook_gets_nothing_and_goes_on_with_what_waited(
        self, receiver: Receiver, ada: Person
    ) -> None:
        receiver.usual = Answer(500)
        webhook = register(ada, receiver.url)
        path = f"{WEBHOOKS}/{webhook['webhook_id']}"
        first = ada.submit("a")
        receiver.wait_for(1, taken=False)
        ada.patch(path, json={"enabled": False})
        missed = cancelled(ada)
        assert {delivery["run_id"] for delivery in deliveries(ada, webhook)} == {first}
        refused = ada.post(f"{path}/deliveries/{deliveries(ada, webhook)[0]['delivery_id']}/redeliver")
        assert refused.status_code == 409
        receiver.usual = Answer()
        ada.patch(path, json={"enabled": True})
        assert receiver.wait_for(1)[0].event == (first, 1)
        assert missed not in {one.event[0] for one in receiver.taken}

    def test_a_receiver_that_is_gone_disables_its_webhook(
        self, service: TestService, receiver: Receiver, ada: Person
    ) -> None:
        receiver.usual = Answer(410)
        webhook = register(ada, receiver.url)
        cancelled(ada)
        until(lambda: not read(ada, webhook)["enabled"], "it is disabled")
        assert read(ada, webhook)["disabled_reason"] == "GONE"
        assert len(receiver.all) == 1
        (row,) = service.database.rows("select details, user_id from audit_entry where action = 'webhook.disabled'")
        assert (row.details, row.user_id) == ({"reason": "GONE"}, None)

    def test_one_that_has_failed_for_days_is_disabled(
        self, service: TestService, receiver: Receiver, ada: Person
    ) -> None:
        receiver.usual = Answer(500)
        webhook = register(ada, receiver.url)
        ada.submit("a")
        receiver.wait_for(1, taken=False)
        service.database.rows("update webhook set failing_since = now() - interval '4 days'")
        receiver.wait_for(len(receiver.all) + 2, taken=False)
        assert read(ada, webhook)["enabled"], "as long as something is still tried"
        service.database.rows("update webhook_delivery set first_attempt_at = now() - interval '25 hours'")
        until(lambda: read(ada, webhook)["disabled_reason"] == "FAILING", "it is disabled")
        (row,) = service.database.rows("select subject from audit_entry where action = 'webhook.disabled'")
        assert row.subject == webhook["webhook_id"]


class TestForgery:
    """Requests that an address should not make the service send."""

    @pytest.mark.parametrize(
        "url",
        [
            "https://127.0.0.2/",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest/meta-data/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[fd00:ec2::254]/",
            "https://2130706434/",
            "https://0.0.0.0/",
        ],
    )
    def test_addresses_that_are_not_public(self, ada: Person, url: str) -> None:
        webhook = register(ada, url)
        answer = ada.post(f"{WEBHOOKS}/{webhook['webhook_id']}/ping").json()
        assert (answer["delivered"], answer["status_code"]) == (False, None)
        assert "not public" in answer["error"]
        ada.submit("a")
        until(lambda: deliveries(ada, webhook)[0]["attempts"] >= 1, "an attempt")
        assert "not public" in deliveries(ada, webhook)[0]["last_error"]

    def test_a_name_that_changes_what_it_resolves_to(
        self, receiver: Receiver, ada: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The address that was checked is connected to, whatever the name resolves to a moment later."""
        real, answers = socket.getaddrinfo, [["8.8.8.8", "192.168.0.1"], ["192.168.0.1"]]

        def resolve(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
            if host != "rebinding.example":
                return real(host, port, *args, **kwargs)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answers.pop(0)]

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        webhook = register(ada, "https://rebinding.example/hook")
        answer = ada.post(f"{WEBHOOKS}/{webhook['webhook_id']}/ping").json()
        assert "not public" in answer["error"]
        assert answers == [["192.168.0.1"]]

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_redirects_lead_nowhere(self, receiver: Receiver, ada: Person, status: int) -> None:
        with Receiver() as target:
            receiver.usual = Answer(status, headers=(("location", target.url),))
            webhook = register(ada, receiver.url)
            answer = ada.post(f"{WEBHOOKS}/{webhook['webhook_id']}/ping").json()
            assert (answer["delivered"], answer["status_code"]) == (False, status)
            assert "redirects are not followed" in answer["error"]
            assert target.all == []

    def test_what_is_no_longer_allowed_is_not_sent(self, service: TestService, receiver: Receiver, ada: Person) -> None:
        webhook = register(ada, receiver.url)
        service.database.rows("update webhook set url = 'http://lims.example/'")
        answer = ada.post(f"{WEBHOOKS}/{webhook['webhook_id']}/ping").json()
        assert "must be https" in answer["error"]

    def test_nothing_of_an_answer_is_kept(self, service: TestService, receiver: Receiver, ada: Person) -> None:
        receiver.usual = Answer(500, headers=(("x-inner", "do-not-keep"),))
        register(ada, receiver.url)
        ada.submit("a")
        receiver.wait_for(2, taken=False)
        assert "do-not-keep" not in str(service.database.rows("select webhook_delivery::text from webhook_delivery"))


class TestSeveralProcesses:
    def test_several_senders_send_each_event_once(
        self, service: TestService, receiver: Receiver, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        receiver.usual = Answer(delay_s=0.01)
        here = service.organization()
        ada, boss = service.person(here), service.person(here, Role.ADMIN)
        with ExitStack() as others:
            for _ in range(2):
                others.enter_context(TestService(service.database, tmp_path_factory.mktemp("store"), **SENDING))
            register(boss, receiver.url, scope="ORGANIZATION")
            slides = [f"slide-{number}" for number in range(10)]
            runs = [cancelled(ada, *slides) for _ in range(6)]
            expected = {run_id: [event["number"] for event in events(ada, run_id)] for run_id in runs}
            receiver.wait_for(sum(map(len, expected.values())))
        for run_id, numbers in expected.items():
            assert [one.event[1] for one in receiver.all if one.event[0] == run_id] == numbers

    def test_slow_receivers_of_one_organization_hold_up_no_other(
        self, service: TestService, receiver: Receiver, ada: Person
    ) -> None:
        with Receiver() as slow:
            slow.usual = Answer(delay_s=3)
            for _ in range(4):
                register(ada, slow.url)
            for _ in range(4):
                ada.submit("a")
            until(lambda: being_sent(service) == 4, "half of all there may be at once is being sent")
            eve = service.member()
            register(eve, receiver.url)
            eve.submit("b")
            receiver.wait_for(1)
            assert len(slow.all) == 4

    def test_what_a_killed_sender_had_taken_is_sent_by_another_when_its_time_is_over(
        self, service: TestService, receiver: Receiver, ada: Person
    ) -> None:
        receiver.usual = Answer(500)
        webhook = register(ada, receiver.url)
        ada.submit("a")
        receiver.wait_for(1, taken=False)
        claimed = "update webhook_delivery set next_attempt_at = now(), claimed_until = now() + interval '{}'"
        service.database.rows(claimed.format("1 hour"))
        receiver.usual = Answer()
        run_id = cancelled(ada)
        assert {one.event[0] for one in receiver.wait_for(3)} == {run_id}
        service.database.rows(claimed.format("-1 second") + " where state = 'PENDING'")
        service.database.rows("select pg_notify('coverslip', 'deliveries')")
        until_state(ada, webhook, "DELIVERED", 4)

    def test_a_late_result_of_a_claim_that_was_lost_changes_nothing(
        self, service: TestService, receiver: Receiver, ada: Person
    ) -> None:
        receiver.answers.append(Answer(500, delay_s=0.3))
        webhook = register(ada, receiver.url)
        ada.submit("a")
        until(lambda: being_sent(service) > 0, "it is being sent")
        # Its process was so slow that another one has taken the delivery, and delivered it.
        service.database.rows(
            "update webhook_delivery "
            "set claimed_until = null, state = 'DELIVERED', next_attempt_at = null, attempts = 7"
        )
        receiver.wait_for(1, taken=False)
        until(lambda: read(ada, webhook)["failing_since"] is not None, "the late result was looked at")
        (delivery,) = deliveries(ada, webhook)
        assert (delivery["state"], delivery["attempts"]) == ("DELIVERED", 7)


class TestBookkeeping:
    def test_deliveries_are_written_with_their_events_or_not_at_all(self, service: TestService, ada: Person) -> None:
        register(ada, ELSEWHERE)
        run_id = ada.submit("a")

        async def happen(and_then: Exception | None) -> None:
            async with service.context.database.transaction(PlatformScope()) as connection:
                locked = await lock_run(connection, UUID(run_id), AllRuns())
                assert locked is not None
                await save_run(connection, locked, locked.status, [NewEvent("run.pending")])
                if and_then is not None:
                    raise and_then

        def numbers() -> list[int]:
            rows = service.database.rows("select event_number from webhook_delivery order by event_number")
            return [row.event_number for row in rows]

        assert numbers() == [1]
        with pytest.raises(RuntimeError):
            service.run(happen(RuntimeError()))
        assert numbers() == [1]
        service.run(happen(None))
        assert numbers() == [1, 2]

    def test_old_deliveries_are_forgotten(self, service: TestService, receiver: Receiver, ada: Person) -> None:
        webhook = register(ada, receiver.url)
        cancelled(ada)
        until_state(ada, webhook, "DELIVERED", 3)
        service.database.rows(
            "update webhook_delivery set created_at = now() - interval '31 days' where event_number <= 2"
        )
        service.sweep()
        assert [delivery["number"] for delivery in deliveries(ada, webhook)] == [3]

    def test_webhooks_come_and_go_while_runs_go_on(self, service: TestService, receiver: Receiver, ada: Person) -> None:
        def register_and_delete() -> list[int]:
            found = []
            for _ in range(10):
                webhook = register(ada, receiver.url)
                ada.get(WEBHOOKS)
                found.append(ada.delete(f"{WEBHOOKS}/{webhook['webhook_id']}").status_code)
            return found

        def process() -> list[int]:
            found = []
            for _ in range(10):
                run_id = ada.submit("a", "b")
                found.append(ada.post(f"/api/v1/runs/{run_id}/cancel").status_code)
            return found

        done = at_once([register_and_delete, process, register_and_delete, process])
        assert done == [[204] * 10, [202] * 10] * 2
        assert service.database.rows("select id from webhook_delivery") == []

    def test_a_deleted_webhook_leaves_nothing_behind(
        self, service: TestService, receiver: Receiver, ada: Person
    ) -> None:
        receiver.usual = Answer(500, delay_s=0.1)
        webhook = register(ada, receiver.url)
        cancelled(ada)
        receiver.wait_for(1, taken=False)
        assert ada.delete(f"{WEBHOOKS}/{webhook['webhook_id']}").status_code == 204
        assert service.database.rows("select id from webhook_delivery") == []


@pytest.mark.timeout(180)
@settings(max_examples=10)
@given(
    failures=st.lists(st.lists(st.sampled_from([500, 404, 0]), max_size=2), max_size=6),
    runs=st.integers(1, 3),
)
def test_whatever_fails_each_run_is_told_in_order_and_completely(
    service: TestService, failures: list[list[int]], runs: int
) -> None:
    """As long as no event fails too often, the receiver takes the events of each run in order, each once."""
    service.clear()
    ada = service.member()
    with Receiver() as receiver:
        for fails in failures:
            receiver.answers.extend(Answer(status, hang_up=status == 0) for status in fails)
            receiver.answers.append(Answer())
        webhook = register(ada, receiver.url)
        run_ids = [cancelled(ada, "a", "b") for _ in range(runs)]
        until_state(ada, webhook, "DELIVERED", 4 * runs)
        for run_id in run_ids:
            taken = [one.event[1] for one in receiver.taken if one.event[0] == run_id]
            if runs == 1:  # of several, one may meet so many failures in a row that later events go ahead
                assert taken == [1, 2, 3, 4]
            assert sorted(taken) == [1, 2, 3, 4]
