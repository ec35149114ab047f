"""A real receiver on loopback is told by the real service what happens to runs."""

from datetime import timedelta
from uuid import uuid4

import pytest

from coverslip.service.webhooks.rules import ORDERED_ATTEMPTS
from harness.people import Person
from harness.receiver import Answer, Receiver, is_signed
from harness.service import TestService
from harness.webhooks import (
    ELSEWHERE,
    INSTANT,
    WEBHOOKS,
    cancelled,
    deliveries,
    events,
    instant,
    read,
    register,
    until,
    until_state,
)


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
