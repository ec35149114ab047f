"""What each organization waits for, has in processing and was served is kept as items move."""

from collections.abc import Sequence
from typing import Any

import pytest

from coverslip.service.scheduling.order_rules import NEVER_SERVED, UNKNOWN_DURATION_S, charged, served_s
from harness.people import Person
from harness.service import TestService, at_once
from harness.worker import WorkerClient


@pytest.fixture
def ada(service: TestService) -> Person:
    return service.member()


@pytest.fixture
def worker(service: TestService) -> WorkerClient:
    return service.worker()


def account(service: TestService, person: Person) -> Any:
    (row,) = service.database.rows(
        "select *, date_part('epoch', now()) as now_s from organization_queue where organization_id = %s",
        person.organization_id,
    )
    return row


def counts_are_right(service: TestService) -> bool:
    wrong: Sequence[Any] = service.database.rows(
        "select * from organization_queue q where (waiting, processing) <> ("
        "select coalesce(sum(item_pending_count), 0), coalesce(sum(item_processing_count), 0) "
        "from run where run.organization_id = q.organization_id)"
    )
    return not wrong


def served(service: TestService, person: Person) -> float:
    row = account(service, person)
    return served_s(row.level, at_s=row.now_s)


def age(service: TestService, held: Any, seconds: int) -> None:
    """As if the attempt had begun so long ago."""
    service.database.rows(
        "update attempt set started_at = started_at - make_interval(secs => %s) where item_id = %s",
        seconds,
        held.item_id,
    )


def test_an_item_is_charged_what_is_expected_and_then_what_it_took(
    service: TestService, ada: Person, worker: WorkerClient
) -> None:
    ada.submit("a")
    assert account(service, ada).level == NEVER_SERVED
    held = worker.must_lease()
    assert served(service, ada) == pytest.approx(UNKNOWN_DURATION_S, rel=0.01)
    age(service, held, 600)
    held.succeed()
    assert served(service, ada) == pytest.approx(600, rel=0.05)
    ada.submit("b")
    worker.must_lease()
    assert served(service, ada) == pytest.approx(1200, rel=0.05), "so long the version takes, as is known now"


@pytest.mark.parametrize("end", ["cancel", "lose", "fail"])
def test_whatever_ends_an_attempt_settles_it(service: TestService, ada: Person, worker: WorkerClient, end: str) -> None:
    run_id = ada.submit("a", "b")
    held = worker.must_lease()
    age(service, held, 300)
    if end == "cancel":
        ada.post(f"/api/v1/runs/{run_id}/cancel").raise_for_status()
    elif end == "lose":
        service.database.rows("update lease set expires_at = now()")
        service.sweep()
    else:
        held.report("SYSTEM_ERROR").raise_for_status()
    assert served(service, ada) == pytest.approx(300, rel=0.05)
    assert counts_are_right(service)
    row = account(service, ada)
    assert (row.waiting, row.processing) == ((0, 0) if end == "cancel" else (2, 0))
    assert row.last_start <= row.level


def test_an_arriving_organization_is_level_with_the_least_served(service: TestService, worker: WorkerClient) -> None:
    ada, bob, eve = (service.member() for _ in range(3))
    seconds = {ada.submit("1", "2"): 5000, bob.submit("1", "2"): 9000}
    for held in [worker.must_lease(), worker.must_lease()]:
        age(service, held, seconds.pop(held.lease["run_id"]))
        held.report("USER_ERROR").raise_for_status()
    assert served(service, ada) == pytest.approx(5000, rel=0.05)
    eve.submit("1")
    assert account(service, eve).level == account(service, ada).level


def test_the_counts_agree_after_all_that_can_happen(service: TestService, worker: WorkerClient) -> None:
    ada, bob = service.member(), service.member()
    first, second = ada.submit("a", "b", "c"), bob.submit("d", "e")
    for outcome in ("USER_ERROR", "SYSTEM_ERROR", "CANCELED"):
        worker.must_lease().report(outcome).raise_for_status()
        assert counts_are_right(service)
    worker.must_lease().succeed()
    worker.must_lease()
    ada.post(f"/api/v1/runs/{first}/cancel").raise_for_status()
    assert counts_are_right(service)
    service.database.rows("update run set deadline = now() - interval '1 second' where id = %s", second)
    service.sweep()
    assert counts_are_right(service)
    assert {(row.waiting, row.processing) for row in service.database.rows("select * from organization_queue")} == {
        (0, 0)
    }


def test_the_counts_agree_when_all_happens_at_once(service: TestService) -> None:
    ada, bob = service.member(), service.member()
    cancelled = [person.submit(*(f"{number}" for number in range(6))) for person in (ada, bob) for _ in range(3)]

    def work() -> None:
        worker = service.worker()
        for number in range(12):
            if (held := worker.lease()) is not None and number % 3:
                assert held.report(("SYSTEM_ERROR", "USER_ERROR")[number % 2]).status_code in (204, 409)

    def cancel() -> None:
        for run_id in cancelled[::2]:
            for person in (ada, bob):
                assert person.post(f"/api/v1/runs/{run_id}/cancel").status_code in (202, 404, 409)

    def submit() -> None:
        for person in (ada, bob, ada):
            person.submit("late")

    at_once([work, work, work, work, cancel, submit])
    assert counts_are_right(service)


def test_weights_are_respected(service: TestService, worker: WorkerClient) -> None:
    ada, bob = service.member(), service.member()
    for person, weight in ((ada, 3), (bob, 1)):
        person.submit(*(f"{weight}-{number}" for number in range(12)))
        service.database.rows(
            "update organization_queue set weight = %s where organization_id = %s", weight, person.organization_id
        )
    leased = [worker.must_lease().lease["external_id"] for _ in range(12)]
    assert 8 <= sum(name.startswith("3-") for name in leased) <= 10


def test_the_one_that_was_idle_for_a_year_is_not_served_alone(service: TestService, worker: WorkerClient) -> None:
    ada, bob = service.member(), service.member()
    ada.submit(*(f"a{number}" for number in range(10)))
    now_s = account(service, ada).now_s
    level = charged(NEVER_SERVED, 1e6, weight=1, at_s=now_s)
    service.database.rows(
        "update organization_queue set level = %s, last_start = %s where organization_id = %s",
        level,
        level,
        ada.organization_id,
    )
    bob.submit(*(f"b{number}" for number in range(10)))
    leased = [worker.must_lease().lease["external_id"] for _ in range(10)]
    assert sum(name.startswith("a") for name in leased) == 5
