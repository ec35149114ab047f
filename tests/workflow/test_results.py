"""Following a run and bringing its results."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from coverslip.platform import Client
from coverslip.platform.errors import DiskFull, NotFound
from coverslip.platform.runs import Run
from coverslip.workflow.errors import ServerAwayTooLong
from coverslip.workflow.events import (
    Event,
    ItemAdvanced,
    ItemChanged,
    RunChanged,
    ServerAway,
    ServerBack,
    TransferDone,
)
from coverslip.workflow.results import bring_results
from coverslip.workflow.watch import watch

QUICK = {"poll_interval_s": 0.01, "patience_s": 5.0}


@pytest.fixture(autouse=True)
def poll_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COVERSLIP_POLL_INTERVAL_S", "0.01")


@pytest.fixture
def run(platform: Any, client: Client) -> Run:
    items = [{"external_id": f"/data/{name}.svs", "input_artifacts": []} for name in ("one", "two", "three")]
    body = {"application_id": "test-app", "version_number": "1.10.0", "items": items}
    return client.run(client.api.request("POST", "/api/v1/runs", body=body).json()["run_id"])


def test_results_arrive_while_the_run_goes_on(platform: Any, client: Client, run: Run, tmp_path: Path) -> None:
    events: list[Event] = []
    results = bring_results(client, run, tmp_path / "out", events.append)
    assert results.run is not None
    assert results.run.state == "TERMINATED"
    assert sorted(str(path.relative_to(tmp_path / "out" / run.run_id)) for path in results.files) == [
        f"{name}/{file}"
        for name in ("one", "three", "two")
        for file in ("tissue_qc_csv_class_information.csv", "tissue_qc_geojson_polygons.json")
    ]
    first_file = next(n for n, event in enumerate(events) if isinstance(event, TransferDone))
    last_run = max(n for n, event in enumerate(events) if isinstance(event, RunChanged))
    assert first_file < last_run
    states = [
        event.item.state for event in events if isinstance(event, ItemChanged) and "two" in event.item.external_id
    ]
    assert states == ["PENDING", "PROCESSING", "TERMINATED"]
    assert any(isinstance(event, ItemAdvanced) and event.progress.stage == "reading tiles" for event in events)


def test_a_second_time_nothing_is_brought_again(platform: Any, client: Client, run: Run, tmp_path: Path) -> None:
    bring_results(client, run, tmp_path)
    before = len(platform.asked("GET", "/results/"))
    events: list[Event] = []
    assert len(bring_results(client, run, tmp_path, events.append).files) == 6
    assert len(platform.asked("GET", "/results/")) == before
    assert all(event.was_there for event in events if isinstance(event, TransferDone))


def test_without_waiting_it_brings_what_is_there(platform: Any, client: Client, run: Run, tmp_path: Path) -> None:
    run.details()
    run.details()
    platform.frozen = True
    results = bring_results(client, run, tmp_path, wait_for_completion=False)
    assert {path.parent.name for path in results.files} == {"one"}


def test_a_failed_item_costs_only_itself(platform: Any, client: Client, run: Run, tmp_path: Path) -> None:
    platform.outcomes["two.svs"] = "USER_ERROR"
    results = bring_results(client, run, tmp_path)
    assert len(results.files) == 4
    assert results.items["/data/two.svs"].error_code == "SLIDE.NO_TISSUE"


def test_a_file_that_cannot_be_had_costs_only_itself(platform: Any, client: Client, run: Run, tmp_path: Path) -> None:
    platform.fail("GET", "/file$", status=410)
    results = bring_results(client, run, tmp_path)
    assert (len(results.files), len(results.failures)) == (5, 1)


def test_a_full_disk_stops_all(client: Client, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(10**6, 10**6, 0))
    with pytest.raises(DiskFull):
        bring_results(client, run, tmp_path)


def test_an_outage_is_told_and_outlasted(platform: Any, run: Run) -> None:
    platform.fail("GET", "/api/v1/runs", times=6, status=503)
    events = list(watch(run, **QUICK))
    assert [type(event) for event in events[:2]] == [ServerAway, ServerBack]
    assert isinstance(events[-1], RunChanged)
    assert events[-1].run.state == "TERMINATED"


def test_an_outage_that_lasts_ends_the_watch(platform: Any, run: Run) -> None:
    platform.fail("GET", "/api/v1/runs", times=999, status=503)
    with pytest.raises(ServerAwayTooLong, match="same command again"):
        list(watch(run, poll_interval_s=0.01, patience_s=0))


def test_a_run_that_does_not_exist_is_no_outage(client: Client, platform: Any) -> None:
    with pytest.raises(NotFound):
        list(watch(client.run("0" * 32), **QUICK))


def test_the_library_downloads_to_the_same_place(client: Client, run: Run, tmp_path: Path) -> None:
    folder = run.download_to_folder(tmp_path, sleep_interval=0.01)
    brought = bring_results(client, run, tmp_path)
    assert folder == brought.folder
    assert all(path.is_relative_to(folder) for path in brought.files)
    assert len(brought.files) == 6


def test_the_library_waits_no_longer_than_it_is_told(platform: Any, run: Run, tmp_path: Path) -> None:
    platform.frozen = True
    with pytest.raises(TimeoutError):
        run.download_to_folder(tmp_path, sleep_interval=0.01, timeout_seconds=0)
