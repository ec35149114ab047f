"""A slide that was processed before gets the results of then, and they are its own."""

from typing import Any

import httpx
import pytest

from coverslip.service.storage.store import Area
from harness.people import Person, item_request
from harness.service import TestService
from harness.worker import ARTIFACTS, TLS, Held, WorkerClient

SLIDE = b"the pixels of a slide"


@pytest.fixture
def ada(service: TestService) -> Person:
    service.clear()
    return service.member()


@pytest.fixture
def worker(service: TestService) -> WorkerClient:
    return service.worker()


def processed(ada: Person, worker: WorkerClient, content: bytes = SLIDE, **fields: Any) -> str:
    """A run of one slide whose result was computed; its id."""
    run_id = ada.submit("first", **fields)
    held = worker.must_lease()
    assert held.reuse(content).json() == {"reused": False}
    held.succeed()
    return run_id


def leased(ada: Person, worker: WorkerClient, *, params: str = "", **fields: Any) -> Held:
    """A slide submitted and leased."""
    items = [item_request("second", **fields)]
    request = {"application_id": "test-app", "items": items}
    assert ada.post(f"/api/v1/runs{params}", json=request).status_code == 201
    return worker.must_lease()


def contents(ada: Person, run_id: str) -> dict[str, bytes]:
    """What a run's artifacts hold."""
    return {
        artifact["name"]: httpx.get(artifact["download_url"], verify=TLS).content
        for item in ada.items(run_id)
        for artifact in item["output_artifacts"]
        if artifact["download_url"]
    }


def events(ada: Person, run_id: str) -> list[str]:
    listed = ada.get(f"/api/coverslip/v1/runs/{run_id}/events").json()
    return [event["kind"] for event in listed]


def test_the_same_slide_again(ada: Person, worker: WorkerClient) -> None:
    first = processed(ada, worker)
    held = leased(ada, worker)
    second = held.lease["run_id"]
    assert held.reuse(SLIDE).json() == {"reused": True}
    assert ada.items(second)[0]["state"] == "PROCESSING", "the worker has yet to report"
    assert held.reuse(SLIDE).json() == {"reused": True}, "asked again, as after a lost answer"
    held.report("SUCCEEDED").raise_for_status()
    (item,) = ada.items(second)
    assert item["termination_reason"] == "SUCCEEDED"
    names = [artifact["name"] for artifact in item["output_artifacts"]]
    metadata = {artifact["name"]: artifact["metadata"] for artifact in item["output_artifacts"]}
    assert metadata == {artifact["name"]: artifact["metadata"] for artifact in ada.items(first)[0]["output_artifacts"]}
    assert contents(ada, second) == contents(ada, first) == {name: name.encode() for name in names}
    assert events(ada, second).count("item.reused") == 1
    assert events(ada, second).count("artifact.available") == len(ARTIFACTS)
    computed = ada.items(first)[0]["terminated_at"]
    path = f"/api/v1/runs/{second}/items/second"
    assert ada.get(path).headers["coverslip-result-from"][:19] == computed[:19]
    assert "coverslip-result-from" not in ada.get(f"/api/v1/runs/{first}/items/first").headers


def test_the_copies_are_the_items_own(ada: Person, worker: WorkerClient) -> None:
    first = processed(ada, worker)
    held = leased(ada, worker)
    assert held.reuse(SLIDE).json() == {"reused": True}
    held.report("SUCCEEDED").raise_for_status()
    assert ada.delete(f"/api/v1/runs/{first}/artifacts").status_code == 200
    assert set(contents(ada, held.lease["run_id"])) == set(ARTIFACTS)
    third = leased(ada, worker)
    assert third.reuse(SLIDE).json() == {"reused": True}, "of the second, whose artifacts are there still"
    third.report("SUCCEEDED").raise_for_status()
    dates = [
        ada.get(f"/api/v1/runs/{each.lease['run_id']}/items/second").headers["coverslip-result-from"]
        for each in (held, third)
    ]
    assert dates[0] == dates[1], "a copy of a copy is as old as the original"
    for run_id in (held.lease["run_id"], third.lease["run_id"]):
        ada.delete(f"/api/v1/runs/{run_id}/artifacts")
    fourth = leased(ada, worker)
    assert fourth.reuse(SLIDE).json() == {"reused": False}


def test_an_attempt_after_a_lost_one_copies_nothing_again(
    service: TestService, ada: Person, worker: WorkerClient
) -> None:
    processed(ada, worker)
    assert leased(ada, worker).reuse(SLIDE).json() == {"reused": True}
    stored = service.objects("results")
    service.database.rows("update lease set expires_at = now()")
    service.sweep()
    held = worker.must_lease()
    assert held.reuse(SLIDE).json() == {"reused": True}
    held.report("SUCCEEDED").raise_for_status()
    assert service.objects("results") == stored


@pytest.mark.parametrize(
    "change",
    [
        {"content": b"another slide"},
        {"file_name": "slide.dcm"},
        {"metadata": {"resolution_mpp": 0.5}},
        {"models": {"tissue": "our-colon 1.0.0 0123"}},
    ],
    ids=["content", "file name", "metadata", "models"],
)
def test_what_differs_is_processed(ada: Person, worker: WorkerClient, change: dict[str, Any]) -> None:
    processed(ada, worker)
    request = item_request("second")
    request["input_artifacts"][0]["metadata"] |= change.get("metadata", {})
    ada.submit(items=[request])
    held = worker.must_lease()
    options = {name: value for name, value in change.items() if name in ("file_name", "models")}
    assert held.reuse(change.get("content", SLIDE), **options).json() == {"reused": False}


def test_results_of_the_same_models_are_used_again(ada: Person, worker: WorkerClient) -> None:
    models = {"tissue": "our-colon 1.0.0 0123"}
    ada.submit("first")
    held = worker.must_lease()
    held.reuse(SLIDE, models=models)
    held.succeed()
    assert leased(ada, worker).reuse(SLIDE, models=models).json() == {"reused": True}
    assert leased(ada, worker).reuse(SLIDE).json() == {"reused": False}


def test_nothing_comes_from_another_organization(service: TestService, ada: Person, worker: WorkerClient) -> None:
    processed(ada, worker)
    assert leased(service.member(), worker).reuse(SLIDE).json() == {"reused": False}


def test_nothing_comes_from_what_failed(ada: Person, worker: WorkerClient) -> None:
    ada.submit("first")
    held = worker.must_lease()
    held.reuse(SLIDE)
    held.report("USER_ERROR", error_code="X", error_message="y").raise_for_status()
    assert leased(ada, worker).reuse(SLIDE).json() == {"reused": False}


def test_a_run_may_have_all_processed_anew(ada: Person, worker: WorkerClient) -> None:
    processed(ada, worker)
    held = leased(ada, worker, params="?reuse_results=false")
    assert held.reuse(SLIDE).json() == {"reused": False}
    held.succeed()
    assert events(ada, held.lease["run_id"]).count("item.reused") == 0


def test_the_switch_is_part_of_the_request(ada: Person) -> None:
    request = {"application_id": "test-app", "items": [item_request("a")]}
    header = {"Idempotency-Key": "k"}
    assert ada.post("/api/v1/runs", json=request, headers=header).status_code == 201
    assert ada.post("/api/v1/runs?reuse_results=false", json=request, headers=header).status_code == 422


def test_results_that_are_gone_from_the_store_are_not_given(
    service: TestService, ada: Person, worker: WorkerClient
) -> None:
    first = processed(ada, worker)
    files = service.objects(f"{Area.RESULTS}/*/{first}")
    assert len(files) == len(ARTIFACTS)
    files[-1].unlink()
    held = leased(ada, worker)
    assert held.reuse(SLIDE).json() == {"reused": False}
    second = held.lease["run_id"]
    assert service.objects(f"{Area.RESULTS}/*/{second}") == [], "no half of them is left"
    held.succeed()


def test_only_the_holder_of_the_lease_may_ask(ada: Person, worker: WorkerClient) -> None:
    processed(ada, worker)
    held = leased(ada, worker)
    ada.post(f"/api/v1/runs/{held.lease['run_id']}/cancel")
    assert held.reuse(SLIDE).status_code == 409
    assert contents(ada, held.lease["run_id"]) == {}


def test_every_input_must_be_described(ada: Person, worker: WorkerClient) -> None:
    held = leased(ada, worker)
    content = {"name": "another", "file_name": "a.tiff", "sha256": "0" * 64}
    for inputs in ([], [content]):
        refused = held.post("reuse", {"inputs": inputs})
        assert refused.status_code == 400
        assert "whole_slide_image" in refused.json()["detail"]
