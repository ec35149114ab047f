"""What can be learnt of attempts: of each why it ended, and its log only by those who may change the run."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coverslip.contract.attempts import MAX_STAGES, AttemptOutcome, ExitCause
from coverslip.service.access.principal import Role
from coverslip.service.attempts.rules import exit_cause
from harness.people import Person
from harness.service import TestService
from harness.worker import ARTIFACTS, WorkerClient

STAGES = [{"stage": "fetching the slide", "duration_s": 1.5}, {"stage": "reading tiles", "duration_s": 20.25}]
LOG = "reading /data/slides/confidential.svs\n"


@pytest.fixture
def ada(service: TestService) -> Person:
    return service.member()


@pytest.fixture
def worker(service: TestService) -> WorkerClient:
    return service.worker()


def path_of(person: Person, run_id: str) -> str:
    """Where the attempts at the only item of a run are."""
    (item,) = person.items(run_id)
    return f"/api/coverslip/v1/runs/{run_id}/items/{item['item_id']}/attempts"


def attempts(person: Person, run_id: str) -> list[dict[str, Any]]:
    answer = person.get(path_of(person, run_id))
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def test_every_attempt_says_what_it_did_and_why_it_ended(ada: Person, worker: WorkerClient) -> None:
    run_id = ada.submit("a")
    assert attempts(ada, run_id) == []
    held = worker.must_lease()
    held.post("heartbeat", {"stage": "reading tiles", "fraction": 0.5, "stages": STAGES}).raise_for_status()
    (running,) = attempts(ada, run_id)
    assert (running["outcome"], running["exit_cause"], running["ended_at"]) == (None, None, None)
    assert (running["stage"], running["stages"]) == ("reading tiles", STAGES)
    held.report(
        "SYSTEM_ERROR",
        error_code="APPLICATION.CRASHED",
        error_message="It was ended by SIGSEGV.",
        exit_cause="CRASHED",
        ended_by="SIGSEGV",
        stage="counting",
        stages=[*STAGES, {"stage": "counting", "duration_s": 0}],
        log=LOG,
        peak_memory_mb=700,
    ).raise_for_status()
    second = worker.must_lease()
    second.succeed()
    crashed, succeeded = attempts(ada, run_id)
    assert [crashed["number"], succeeded["number"]] == [1, 2]
    assert crashed["worker_name"] == "tests"
    assert (crashed["outcome"], crashed["exit_cause"], crashed["ended_by"]) == ("SYSTEM_ERROR", "CRASHED", "SIGSEGV")
    assert (crashed["error_code"], crashed["error_message"]) == ("APPLICATION.CRASHED", "It was ended by SIGSEGV.")
    assert [stage["stage"] for stage in crashed["stages"]] == ["fetching the slide", "reading tiles", "counting"]
    assert (crashed["stage"], crashed["peak_memory_mb"], crashed["log"]) == ("counting", 700, LOG)
    assert crashed["duration_s"] >= 0
    assert crashed["started_at"] <= crashed["ended_at"] <= succeeded["started_at"]
    assert (succeeded["exit_cause"], succeeded["error_code"], succeeded["log"]) == ("SUCCEEDED", None, None)


def test_a_lost_worker_leaves_the_stages_it_told(service: TestService, ada: Person, worker: WorkerClient) -> None:
    run_id = ada.submit("a")
    held = worker.must_lease()
    held.post("heartbeat", {"stage": "reading tiles", "stages": STAGES}).raise_for_status()
    held.heartbeat("reading tiles").raise_for_status()  # of a worker that tells no stages
    service.database.rows("update lease set expires_at = now()")
    service.sweep()
    (lost,) = attempts(ada, run_id)
    assert (lost["outcome"], lost["exit_cause"], lost["error_code"]) == ("LEASE_LOST", "LEASE_LOST", "WORKER.LOST")
    assert lost["stages"] == STAGES


def test_what_was_cancelled_is_told_as_cancelled(ada: Person, worker: WorkerClient) -> None:
    run_id = ada.submit("a")
    held = worker.must_lease()
    assert ada.post(f"/api/v1/runs/{run_id}/cancel").status_code == 202
    assert held.report("SYSTEM_ERROR", exit_cause="CRASHED").status_code == 409
    (cancelled,) = attempts(ada, run_id)
    assert (cancelled["outcome"], cancelled["exit_cause"]) == ("CANCELED", "CANCELED")


def test_success_without_every_output_is_told_as_the_applications_error(ada: Person, worker: WorkerClient) -> None:
    run_id = ada.submit("a")
    held = worker.must_lease()
    held.write(next(iter(ARTIFACTS)))
    held.report("SUCCEEDED", log=LOG, stages=STAGES).raise_for_status()
    (attempt,) = attempts(ada, run_id)
    assert (attempt["exit_cause"], attempt["error_code"]) == ("APPLICATION_ERROR", "APPLICATION.OUTPUT_MISSING")
    assert (attempt["log"], attempt["stages"]) == (LOG, STAGES)


def test_the_log_is_for_those_who_may_change_the_run(service: TestService, ada: Person, worker: WorkerClient) -> None:
    run_id = ada.submit("a")
    worker.must_lease().report("USER_ERROR", error_code="INPUT.BAD", error_message="Bad.", log=LOG).raise_for_status()
    path = path_of(ada, run_id)
    admin = service.person(ada.organization_id, Role.ADMIN)
    operator = service.person(service.organization(), Role.SUPER_ADMIN)
    for person in (ada, admin, operator):
        assert person.get(path).json()[0]["log"] == LOG
    colleague, viewer, holder = service.person(ada.organization_id), service.member(), service.member()
    token = ada.share_token()
    ada.grant("run", run_id, "user", viewer.user_id)
    (item,) = ada.items(run_id)
    ada.grant("item", item["item_id"], "share_token", token["share_token_id"])
    for answer in (viewer.get(path), holder.get(path, params={"share_token": token["share_token"]})):
        (seen,) = answer.json()
        assert (seen["exit_cause"], seen["error_code"], seen["log"]) == ("INPUT_FAULT", "INPUT.BAD", None)
        assert "confidential" not in answer.text
    for stranger in (colleague, holder):
        assert stranger.get(path).status_code == 404


def test_only_items_of_the_run_that_one_sees_are_found(service: TestService, ada: Person) -> None:
    first, second = ada.submit("a"), ada.submit("b")
    viewer = service.member()
    shown, hidden = ada.items(ada.submit("c", "d"))
    ada.grant("item", shown["item_id"], "user", viewer.user_id)
    path = path_of(ada, first)
    assert ada.get(path.replace(first, second)).status_code == 404
    (grant,) = ada.get("/api/v1/access/grants").json()
    run_id = next(run["run_id"] for run in ada.get("/api/v1/runs").json() if run["statistics"]["item_count"] == 2)
    assert grant["resource_id"] == shown["item_id"]
    partly = f"/api/coverslip/v1/runs/{run_id}/items"
    assert viewer.get(f"{partly}/{shown['item_id']}/attempts").json() == []
    assert viewer.get(f"{partly}/{hidden['item_id']}/attempts").status_code == 404


@pytest.mark.parametrize(
    "fields",
    [
        {"stages": [{"stage": "x", "duration_s": 1}] * (MAX_STAGES + 1)},
        {"stages": [{"stage": "x" * 201, "duration_s": 1}]},
        {"stages": [{"stage": "x", "duration_s": -1}]},
        {"stages": [{"stage": "a\x00b", "duration_s": 1}]},
        {"exit_cause": "BAD_LUCK"},
        {"ended_by": "x" * 65},
    ],
)
def test_what_cannot_be_kept_is_refused(ada: Person, worker: WorkerClient, fields: dict[str, Any]) -> None:
    ada.submit("a")
    held = worker.must_lease()
    assert held.report("SYSTEM_ERROR", **fields).status_code == 422
    assert held.heartbeat().status_code == 200


@given(st.sampled_from(AttemptOutcome), st.none() | st.sampled_from(ExitCause))
def test_a_worker_tells_the_cause_of_system_errors_only(outcome: AttemptOutcome, told: ExitCause | None) -> None:
    of_others = {ExitCause.SUCCEEDED, ExitCause.INPUT_FAULT, ExitCause.CANCELED, ExitCause.LEASE_LOST}
    cause = exit_cause(outcome, told)
    if outcome is AttemptOutcome.SYSTEM_ERROR:
        assert cause is (ExitCause.WORKER_FAULT if told is None or told in of_others else told)
    else:
        assert cause in of_others
        assert cause is exit_cause(outcome)
