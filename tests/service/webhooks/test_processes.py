"""Several senders, killed senders, the log of deliveries, and everything failing at random."""

from contextlib import ExitStack
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coverslip.service.access.principal import Role
from coverslip.service.access.rules import AllRuns
from coverslip.service.database.scope import PlatformScope
from coverslip.service.events.queries import NewEvent
from coverslip.service.runs.queries import lock_run, save_run
from harness.people import Person
from harness.receiver import Answer, Receiver
from harness.service import TestService, at_once
from harness.webhooks import (
    ELSEWHERE,
    SENDING,
    WEBHOOKS,
    being_sent,
    cancelled,
    deliveries,
    events,
    read,
    register,
    until,
    until_state,
)


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
