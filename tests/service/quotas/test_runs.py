"""Runs and quotas: refused exactly at the limit, all at once, and never twice for the same run."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from harness.people import Person, run_request
from harness.quotas import PROBLEM, balances, exceeded, set_quotas, set_user_quotas
from harness.service import TestService, at_once

ORGANIZATION, USER = "ORGANIZATION", "USER"


def submit(person: Person, slides: int = 1, **headers: str) -> httpx.Response:
    request = run_request(*(f"s{number}" for number in range(slides)))
    return person.post("/api/v1/runs", json=request, headers=headers)


def test_each_quota_is_refused_exactly_at_its_limit(operator: Person, chief: Person, ada: Person) -> None:
    set_quotas(operator, ada.organization_id, slides_per_month=5, parallel_runs=4, slides_per_run=3)
    set_user_quotas(chief, ada, slides_per_month=4, parallel_runs=2)
    assert set(exceeded(submit(ada, 4))) == {(ORGANIZATION, "slides_per_run")}
    assert submit(ada, 3).status_code == 201
    assert set(exceeded(submit(ada, 2))) == {(USER, "slides_per_month")}
    assert submit(ada).status_code == 201
    assert set(exceeded(submit(ada))) == {(USER, "slides_per_month"), (USER, "parallel_runs")}
    assert set(exceeded(submit(chief, 2))) == {(ORGANIZATION, "slides_per_month")}
    assert submit(chief).status_code == 201


def test_parallel_runs_of_an_organization(service: TestService, operator: Person, ada: Person, bob: Person) -> None:
    set_quotas(operator, ada.organization_id, parallel_runs=2)
    run_id = ada.submit("a")
    bob.submit("b")
    assert set(exceeded(submit(ada))) == set(exceeded(submit(bob))) == {(ORGANIZATION, "parallel_runs")}
    ada.post(f"/api/v1/runs/{run_id}/cancel").raise_for_status()
    bob.submit("c")
    service.worker().finish_all()
    assert balances(ada)["organization"]["parallel_runs"]["used"] == 0


def test_a_quota_of_nothing_lets_nothing_through(operator: Person, ada: Person) -> None:
    set_quotas(operator, ada.organization_id, slides_per_month=0)
    assert set(exceeded(submit(ada))) == {(ORGANIZATION, "slides_per_month")}


def test_quotas_of_others_do_not_matter(
    service: TestService, operator: Person, chief: Person, ada: Person, bob: Person
) -> None:
    set_user_quotas(chief, bob, slides_per_month=0, parallel_runs=0)
    stranger = service.member()
    set_quotas(operator, stranger.organization_id, slides_per_month=0, parallel_runs=0, slides_per_run=0)
    assert submit(ada).status_code == 201
    assert submit(bob).status_code == submit(stranger).status_code == 402


def test_a_refusal_names_everything(operator: Person, ada: Person) -> None:
    set_quotas(operator, ada.organization_id, slides_per_month=3, slides_per_run=2)
    ada.submit("a")
    answer = submit(ada, 3)
    found = exceeded(answer)
    first_of_month = datetime.now(UTC).replace(day=1)
    resets_at = found[ORGANIZATION, "slides_per_month"]["resets_at"]
    assert datetime.fromisoformat(resets_at) > first_of_month
    assert found == {
        (ORGANIZATION, "slides_per_month"): {
            "quota": "slides_per_month", "holder": ORGANIZATION,
            "limit": 3, "used": 1, "asked": 3, "resets_at": resets_at,
        },
        (ORGANIZATION, "slides_per_run"): {
            "quota": "slides_per_run", "holder": ORGANIZATION,
            "limit": 2, "used": 0, "asked": 3, "resets_at": None,
        },
    }  # fmt: skip
    detail = answer.json()["detail"]
    assert "quota of 3 slides in a calendar month has no room for 3 more: 1 used, and it starts anew at" in detail
    assert "quota of 2 slides in one run has no room for 3 more" in detail
    problem = submit(ada, 3, **PROBLEM)
    assert problem.headers["content-type"] == "application/problem+json"
    assert exceeded(problem) == found
    assert problem.json() | {"request_id": None} == {
        "title": "Payment Required",
        "status": 402,
        "code": "QUOTA.EXCEEDED",
        "detail": detail,
        "remedy": problem.json()["remedy"],
        "quotas": answer.json()["quotas"],
        "request_id": None,
    }
    assert "administrator" in problem.json()["remedy"]


def test_nothing_is_left_of_a_refused_run(service: TestService, operator: Person, ada: Person) -> None:
    set_quotas(operator, ada.organization_id, slides_per_month=1)
    exceeded(submit(ada, 2))
    assert service.database.rows("select id from run") == []
    assert balances(ada)["organization"]["slides_per_month"]["used"] == 0


@pytest.mark.parametrize("quota", ["slides_per_month", "parallel_runs"])
@pytest.mark.parametrize("of_user", [False, True])
def test_of_twenty_at_once_three_get_through(
    operator: Person, chief: Person, ada: Person, bob: Person, quota: str, of_user: bool
) -> None:
    if of_user:
        set_user_quotas(chief, ada, **{quota: 3})
    else:
        set_quotas(operator, ada.organization_id, **{quota: 3})
    people = [ada, ada if of_user else bob] * 10
    answers = at_once([lambda person=person: submit(person) for person in people])
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [201] * 3 + [402] * 17
    holder = USER if of_user else ORGANIZATION
    assert {each["used"] for answer in answers if answer.status_code == 402 for each in answer.json()["quotas"]} == {3}
    assert balances(ada)[holder.lower()][quota] | {"resets_at": None} == {
        "limit": 3, "used": 3, "remaining": 0, "resets_at": None
    }  # fmt: skip


def test_an_accepted_run_is_never_refused_when_it_is_sent_again(operator: Person, ada: Person) -> None:
    set_quotas(operator, ada.organization_id, slides_per_month=2, parallel_runs=1)
    answers = at_once([lambda: submit(ada, 2, **{"Idempotency-Key": "k"})] * 8)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["run_id"] for answer in answers}) == 1
    set_quotas(operator, ada.organization_id, slides_per_month=0, slides_per_run=0)
    assert submit(ada, 2, **{"Idempotency-Key": "k"}).json() == answers[0].json()
    exceeded(submit(ada, 2, **{"Idempotency-Key": "other"}))


def test_a_slide_that_did_not_succeed_gives_its_place_back(service: TestService, operator: Person, ada: Person) -> None:
    set_quotas(operator, ada.organization_id, slides_per_month=6)
    used = [0]

    def now_used() -> list[int]:
        used.append(balances(ada)["organization"]["slides_per_month"]["used"])
        return used[-2:]

    run_id, worker = ada.submit("a", "b", "c", "d", "e", "f"), service.worker()
    assert now_used() == [0, 6]
    held = worker.must_lease()
    assert now_used() == [6, 6], "one is being processed"
    held.succeed()
    assert now_used() == [6, 6], "and has succeeded"
    worker.must_lease().report("USER_ERROR", error_code="X", error_message="x").raise_for_status()
    assert now_used() == [6, 5]
    for _ in range(3):
        worker.must_lease().report("SYSTEM_ERROR", error_code="X", error_message="x").raise_for_status()
    assert now_used() == [5, 4]
    worker.must_lease()
    ada.post(f"/api/v1/runs/{run_id}/cancel").raise_for_status()
    assert now_used() == [4, 1]
    assert submit(ada, 6).status_code == 402
    assert submit(ada, 5).status_code == 201


def test_the_month_is_that_of_submission(service: TestService, operator: Person, ada: Person) -> None:
    set_quotas(operator, ada.organization_id, slides_per_month=2)
    this_month = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    ada.submit("a", "b")
    service.database.rows("update run set submitted_at = %s", this_month)
    exceeded(submit(ada))
    service.database.rows("update run set submitted_at = %s::timestamptz - interval '1 microsecond'", this_month)
    assert submit(ada, 2).status_code == 201


class TestValidation:
    @staticmethod
    def validate(person: Person, slides: int = 1, **fields: Any) -> httpx.Response:
        request = run_request(*(f"s{number}" for number in range(slides))) | fields
        return person.post("/api/v1/runs?validate_only=true", json=request, headers=PROBLEM)

    def test_it_is_refused_as_the_run_would_be(self, service: TestService, operator: Person, ada: Person) -> None:
        set_quotas(operator, ada.organization_id, slides_per_month=2)
        assert exceeded(self.validate(ada, 3)) == exceeded(submit(ada, 3))
        for _ in range(3):
            assert self.validate(ada, 2).status_code == 200
        assert service.database.rows("select id from run") == []
        assert balances(ada)["organization"]["slides_per_month"]["used"] == 0


def test_runs_of_the_first_api_are_counted_too(operator: Person, ada: Person) -> None:
    set_quotas(operator, ada.organization_id, slides_per_month=1)
    ada.submit("a")
    artifacts = run_request()["items"][0]["input_artifacts"]
    request = {
        "application_version_id": "test-app:v1.0.0",
        "items": [{"reference": "a", "input_artifacts": artifacts}],
    }
    answer = ada.post("/legacy/api/v1/runs", json=request)
    assert set(exceeded(answer)) == {(ORGANIZATION, "slides_per_month")}
