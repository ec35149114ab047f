"""A run in which too many items have failed is ended; one in which few have is not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coverslip.service.runs.rules import ErrorThreshold, Statistics
from harness.service import TestService
from harness.worker import WorkerClient

CODE = "SCHEDULER.ITEMS_WITH_ERROR_THRESHOLD_REACHED"

counts = st.integers(0, 60)
statistics = st.builds(
    Statistics,
    pending=counts,
    processing=counts,
    succeeded=counts,
    user_error=counts,
    system_error=counts,
    skipped=counts,
)


class TestRule:
    @given(statistics)
    def test_by_default_no_few_failures_end_a_run(self, counted: Statistics) -> None:
        if ErrorThreshold(20, 0.5).is_reached(counted):
            assert counted.failed >= 20
            assert 2 * counted.failed > counted.total

    @given(statistics, st.floats(0, 1))
    def test_0_switches_it_off(self, counted: Statistics, share: float) -> None:
        assert not ErrorThreshold(0, share).is_reached(counted)

    @given(statistics, st.integers(1, 50), st.floats(0, 1))
    def test_once_reached_it_stays_reached_by_more_failures(
        self, counted: Statistics, items: int, share: float
    ) -> None:
        worse = Statistics(**vars(counted) | {"pending": 0, "user_error": counted.user_error + counted.pending})
        threshold = ErrorThreshold(items, share)
        assert threshold.is_reached(worse) >= threshold.is_reached(counted)

    def test_what_succeeded_and_what_was_skipped_did_not_fail(self) -> None:
        assert not ErrorThreshold(1, 0).is_reached(Statistics(pending=1, succeeded=9, skipped=9))


@pytest.fixture
def strict(service: TestService, tmp_path: Path) -> Iterator[TestService]:
    """A service that gives up on a run once 2 items have failed and more than half."""
    with TestService(service.database, tmp_path / "store", error_threshold_items=2) as other:
        yield other


def fail(worker: WorkerClient, outcome: str = "USER_ERROR", **fields: Any) -> None:
    worker.must_lease().report(outcome, error_code="INPUT.BAD", error_message="Bad. Mend it.").raise_for_status()


def test_a_run_ends_with_the_item_that_is_too_much(strict: TestService) -> None:
    ada, worker = strict.member(), strict.worker()
    run_id = ada.submit("a", "b", "c", "d", "e")
    worker.must_lease().succeed()
    held = worker.must_lease()
    fail(worker)
    fail(worker)
    assert ada.run(run_id)["state"] == "PROCESSING"
    assert held.report("USER_ERROR", error_code="INPUT.BAD").status_code == 204
    run = ada.run(run_id)
    assert (run["state"], run["termination_reason"], run["error_code"]) == ("TERMINATED", "CANCELED_BY_SYSTEM", CODE)
    assert "3 of 5 items failed" in run["error_message"]
    assert "submit the failed and the skipped ones again" in run["error_message"]
    assert run["output"] == "PARTIAL"
    ended = [item["termination_reason"] for item in ada.items(run_id)]
    assert ended == ["SUCCEEDED", "USER_ERROR", "USER_ERROR", "USER_ERROR", "SKIPPED"]
    events = ada.get(f"/api/coverslip/v1/runs/{run_id}/events").json()
    last = [(event["kind"], event["payload"].get("termination_reason")) for event in events[-3:]]
    assert last == [
        ("item.terminated", "USER_ERROR"),
        ("item.terminated", "SKIPPED"),
        ("run.terminated", "CANCELED_BY_SYSTEM"),
    ]
    assert worker.lease() is None


def test_the_leases_of_its_other_items_are_revoked(strict: TestService) -> None:
    ada, worker = strict.member(), strict.worker()
    ada.submit("a", "b", "c")
    held = worker.must_lease()
    fail(worker)
    fail(worker)
    assert held.heartbeat().status_code == 409
    assert held.report("SUCCEEDED").status_code == 409
    assert strict.database.rows("select * from lease") == []


def test_attempts_that_are_repeated_do_not_count(strict: TestService) -> None:
    ada, worker = strict.member(), strict.worker()
    run_id = ada.submit("a", "b", "c")
    for _ in range(6):
        worker.must_lease().report("SYSTEM_ERROR").raise_for_status()
    assert ada.run(run_id)["statistics"]["item_system_error_count"] == 2
    assert ada.run(run_id)["error_code"] == CODE


def test_if_every_item_has_failed_there_is_nothing_to_end(strict: TestService) -> None:
    ada, worker = strict.member(), strict.worker()
    run_id = ada.submit("a", "b")
    fail(worker)
    fail(worker)
    run = ada.run(run_id)
    assert (run["termination_reason"], run["error_code"]) == ("ALL_ITEMS_PROCESSED", None)


def test_one_bad_slide_never_costs_the_batch(service: TestService) -> None:
    ada, worker = service.member(), service.worker()
    run_id = ada.submit("bad 1", "bad 2", "good")
    fail(worker)
    fail(worker)
    worker.must_lease().succeed()
    assert ada.run(run_id)["termination_reason"] == "ALL_ITEMS_PROCESSED"
