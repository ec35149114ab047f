"""What operators watch: /metrics, for them alone, and log lines without secrets."""

import logging
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from coverslip.service.metrics.instruments import Metrics
from harness.people import Person
from harness.service import TestService

TOKEN = "a token for the operator"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    file = tmp_path_factory.mktemp("metrics") / "token"
    file.write_text(f"{TOKEN}\n")
    return {"metrics_token_file": file}


@pytest.fixture
def ada(service: TestService, settings: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> Person:
    monkeypatch.setattr(service.context.settings, "metrics_token_file", settings["metrics_token_file"])
    service.clear()
    return service.member()


def read(service: TestService) -> dict[str, float]:
    """Every sample, as ``name{label=value}``."""
    response = service.http.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200, response.text
    return {
        f"{sample.name}{{{','.join(f'{name}={value}' for name, value in sorted(sample.labels.items()))}}}": sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def test_the_queue(service: TestService, ada: Person) -> None:
    ada.submit("a", "b", "c")
    service.member().submit("d")
    worker = service.worker()
    held = worker.must_lease()
    told = read(service)
    assert told["coverslip_queue_items{state=PENDING}"] == 3
    assert told["coverslip_queue_items{state=PROCESSING}"] == 1
    assert told["coverslip_queue_runs{state=PROCESSING}"] == 1
    assert told["coverslip_leases{}"] == 1
    assert 0 <= told["coverslip_lease_silent_seconds{}"] <= told["coverslip_lease_oldest_seconds{}"] + 1
    assert told["coverslip_queue_oldest_item_seconds{}"] >= 0
    held.succeed()
    worker.finish_all()
    told = read(service)
    assert told["coverslip_queue_items{state=PENDING}"] == told["coverslip_leases{}"] == 0
    assert told["coverslip_queue_oldest_item_seconds{}"] == told["coverslip_lease_oldest_seconds{}"] == 0


def test_how_attempts_start_and_end(service: TestService, ada: Person) -> None:
    before = read(service)
    ada.submit("a", "b")
    worker = service.worker()
    worker.must_lease().succeed()
    worker.must_lease().report("SYSTEM_ERROR", error_code="APPLICATION.CRASHED", error_message="x").raise_for_status()
    after = read(service)

    def grown(sample: str) -> float:
        return after.get(sample, 0) - before.get(sample, 0)

    of = "application=test-app"
    assert grown(f"coverslip_attempts_total{{{of},code=,outcome=SUCCEEDED,version=1.0.0}}") == 1
    assert grown(f"coverslip_attempts_total{{{of},code=APPLICATION.CRASHED,outcome=SYSTEM_ERROR,version=1.0.0}}") == 1
    assert grown("coverslip_start_seconds_count{}") == 2
    assert grown("coverslip_item_wait_seconds_count{}") == 2


def test_requests_are_counted_by_their_route(service: TestService, ada: Person) -> None:
    run_id = ada.submit("a")
    ada.run(run_id)
    ada.get("/api/v1/runs/11111111-1111-1111-1111-111111111111")
    ada.get("/nothing/of/the/kind")
    told = read(service)
    route = "route=/api/v1/runs/{run_id}"
    assert told[f"coverslip_http_request_seconds_count{{method=GET,{route},status=200}}"] >= 1
    assert told[f"coverslip_http_request_seconds_count{{method=GET,{route},status=404}}"] >= 1
    assert told["coverslip_http_request_seconds_count{method=GET,route=(none),status=404}"] >= 1
    assert not any(run_id in sample or "nothing" in sample for sample in told)


@pytest.mark.parametrize("given", [None, "Bearer wrong", "Bearer", f"Basic {TOKEN}", "Bearer é"])
def test_metrics_are_for_the_operator(service: TestService, ada: Person, given: str | None) -> None:
    headers = {"Authorization": given.encode()} if given else {}
    refused = service.http.get("/metrics", headers=headers)  # type: ignore[arg-type]
    assert (refused.status_code, "coverslip_" in refused.text) == (401, False)
    assert ada.get("/metrics").status_code == 401, "a user's token is none"


def test_without_a_token_file_nobody_reads_them(
    service: TestService, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.context.settings, "metrics_token_file", None)
    for token in (TOKEN, "None"):
        assert service.http.get("/metrics", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_stages_with_ever_new_names_do_not_fill_the_memory() -> None:
    metrics = Metrics()
    for number in range(1000):
        metrics.stage_ended("app", f"tile {number}", 1.0)
    samples = [
        sample
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == "coverslip_stage_seconds_count"
    ]
    assert len(samples) <= 201
    assert sum(sample.value for sample in samples) == 1000


def test_the_log_names_routes_and_ids_and_no_addresses(
    service: TestService, ada: Person, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG, "coverslip")
    run_id = ada.submit("a")
    ada.get(f"/api/v1/runs/{run_id}", params={"share_token": "do-not-log-me"})
    ada.get(ada.upload("s.svs", b"abc"))
    lines = [record.getMessage() for record in caplog.records if record.name == "coverslip.service.request_log"]
    assert any(line.startswith("GET /api/v1/runs/{run_id} answered ") for line in lines)
    assert not any("do-not-log-me" in line or "signature" in line for line in lines)
