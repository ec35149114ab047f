"""Real workers and the real service: what hangs is ended, and what kills its process harms nobody else."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from coverslip.embedded.home import open_home
from coverslip.embedded.postgres.place import system_folder_of
from harness.database import TestDatabase
from harness.people import Person
from harness.service import TestService
from harness.worker import crc32c
from worker.deadlines import is_alive, within
from worker.fake_service import SECRET
from worker.worker_process import WorkerProcess, all_gone, pids_of

pytestmark = pytest.mark.process

STOPPED_WITHIN_S = 60
"""What is promised of a cancelled run, whatever its worker does."""

START_S = 60


@pytest.fixture(scope="module")
def service(probe: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestService]:
    """A service with a database of its own, for others do not know the probe application; it sweeps by itself."""
    import shutil

    home = open_home(tmp_path_factory.mktemp("platform") / "home")
    token = tmp_path_factory.mktemp("token") / "token"
    token.write_text(f"worker-{SECRET}")
    quick = {"lease_s": 6, "heartbeat_s": 0.5, "sweep_s": 0.2, "retry_backoff_s": 0.1}
    try:
        with pytest.MonkeyPatch.context() as patch, TestDatabase(home) as database:
            patch.syspath_prepend(probe)
            store = tmp_path_factory.mktemp("store")
            with TestService(database, store, worker_token_file=token, **quick) as running:
                yield running
    finally:
        shutil.rmtree(system_folder_of(home), ignore_errors=True)


@pytest.fixture
def start(service: TestService, probe: Path, tmp_path: Path) -> Iterator[Callable[..., WorkerProcess]]:
    """Start a worker with one slot and further settings."""
    started: list[WorkerProcess] = []

    def begin(**settings: str) -> WorkerProcess:
        folder = tmp_path / f"worker-{len(started)}"
        started.append(WorkerProcess(folder, service.url, probe, settings=settings))
        return started[-1]

    yield begin
    for worker in started:
        worker.process.send_signal(signal.SIGCONT)
        worker.kill()


def submit(person: Person, *behaviours: str, **metadata: Any) -> str:
    """A run with an item for each behaviour of the probe application."""
    items = []
    for number, behave in enumerate(behaviours):
        content = f"{behave} {number}".encode()
        given = {"behave": behave, "checksum_base64_crc32c": crc32c(content)} | metadata
        url = person.upload(f"{number}.svs", content)
        artifact = {"name": "slide", "download_url": url, "metadata": given}
        items.append({"external_id": f"{behave} {number}", "input_artifacts": [artifact]})
    return person.submit(application_id="probe", items=items)


def attempts(person: Person, run_id: str, number: int = 0) -> list[dict[str, Any]]:
    item_id = person.items(run_id)[number]["item_id"]
    found: list[dict[str, Any]] = person.get(f"/api/coverslip/v1/runs/{run_id}/items/{item_id}/attempts").json()
    return found


def ends(person: Person, run_id: str) -> list[str]:
    """How the items of a run ended, once all have."""
    within(START_S, lambda: person.run(run_id)["state"] == "TERMINATED")
    return [item["termination_reason"] for item in person.items(run_id)]


def stop(pids: dict[str, int]) -> None:
    for pid in pids.values():
        os.kill(pid, signal.SIGSTOP)


def cancel(person: Person, run_id: str) -> None:
    """Cancel a run; for its people it is over at once."""
    assert person.post(f"/api/v1/runs/{run_id}/cancel").status_code == 202
    assert person.run(run_id)["termination_reason"] == "CANCELED_BY_USER"
    assert {item["termination_reason"] for item in person.items(run_id)} == {"SKIPPED"}


def test_cancel_ends_an_application_that_hangs(
    service: TestService, start: Callable[[], WorkerProcess], tmp_path: Path
) -> None:
    ada = service.member()
    worker = start()
    run_id = submit(ada, "wait", mark=str(tmp_path / "mark"))
    pids = pids_of(tmp_path / "mark")
    stop(pids)
    cancel(ada, run_id)
    within(STOPPED_WITHIN_S, lambda: all_gone(pids))
    within(STOPPED_WITHIN_S, lambda: worker.leftovers() == [])
    assert [attempt["exit_cause"] for attempt in attempts(ada, run_id)] == ["CANCELED"]
    assert ends(ada, submit(ada, "succeed")) == ["SUCCEEDED"], "the worker goes on"


def test_cancel_ends_the_application_of_a_worker_that_hangs(
    service: TestService, start: Callable[[], WorkerProcess], tmp_path: Path
) -> None:
    ada = service.member()
    worker = start()
    run_id = submit(ada, "wait", mark=str(tmp_path / "mark"))
    pids = pids_of(tmp_path / "mark")
    worker.process.send_signal(signal.SIGSTOP)
    cancel(ada, run_id)
    within(STOPPED_WITHIN_S, lambda: all_gone(pids))
    assert psutil.Process(worker.process.pid).status() == psutil.STATUS_STOPPED
    before = attempts(ada, run_id)
    assert [attempt["exit_cause"] for attempt in before] == ["CANCELED"]
    worker.process.send_signal(signal.SIGCONT)
    within(START_S, lambda: f"item {ada.items(run_id)[0]['item_id']} is gone" in worker.log)
    within(START_S, lambda: worker.leftovers() == [])
    assert attempts(ada, run_id) == before, "what it reports late counts for nothing"
    assert ends(ada, submit(ada, "succeed")) == ["SUCCEEDED"], "the worker goes on"


def test_a_worker_that_comes_back_late_finds_its_item_with_another(
    service: TestService, start: Callable[[], WorkerProcess], tmp_path: Path
) -> None:
    ada = service.member()
    late = start()
    run_id = submit(ada, "wait", mark=str(tmp_path / "mark"))
    first = pids_of(tmp_path / "mark")
    late.process.send_signal(signal.SIGSTOP)
    within(START_S, lambda: [attempt["exit_cause"] for attempt in attempts(ada, run_id)] == ["LEASE_LOST"])
    (tmp_path / "mark").unlink()
    start()
    second = pids_of(tmp_path / "mark")
    late.process.send_signal(signal.SIGCONT)
    within(START_S, lambda: all_gone(first))
    within(START_S, lambda: late.leftovers() == [])
    assert all(is_alive(pid) for pid in second.values()), "of the one who has the lease now"
    cancel(ada, run_id)
    within(STOPPED_WITHIN_S, lambda: all_gone(second))
    assert [attempt["exit_cause"] for attempt in attempts(ada, run_id)] == ["LEASE_LOST", "CANCELED"]


def test_a_poison_slide_ends_after_three_attempts_and_stops_nobody_else(
    service: TestService, start: Callable[[], WorkerProcess]
) -> None:
    ada, bob = service.member(), service.member()
    poisoned = submit(ada, "crash", "succeed", "succeed")
    other = submit(bob, "succeed")
    start()
    assert ends(bob, other) == ["SUCCEEDED"]
    assert ends(ada, poisoned) == ["SYSTEM_ERROR", "SUCCEEDED", "SUCCEEDED"]
    tried = attempts(ada, poisoned)
    assert [(attempt["exit_cause"], attempt["ended_by"]) for attempt in tried] == [("CRASHED", "SIGSEGV")] * 3
    for attempt in tried:
        assert [stage["stage"] for stage in attempt["stages"]] == [
            "fetching the slide",
            "starting the application",
            "reading",
        ]
        assert "about to crash" in attempt["log"]
    (item, *_) = ada.items(poisoned)
    assert item["error_code"] == "APPLICATION.CRASHED"
    assert ada.run(poisoned)["output"] == "PARTIAL"
    assert json.dumps(tried).count(SECRET) == 0


def test_only_results_of_the_same_models_are_used_again(
    service: TestService, start: Callable[..., WorkerProcess]
) -> None:
    ada = service.member()

    def is_reused() -> bool:
        run_id = submit(ada, "succeed")
        assert ends(ada, run_id) == ["SUCCEEDED"]
        events = ada.get(f"/api/coverslip/v1/runs/{run_id}/events").json()
        return "item.reused" in [event["kind"] for event in events]

    first = start()
    assert [is_reused(), is_reused()] == [False, True]
    first.stop()
    start(COVERSLIP_MODEL_NUCLEI="classical")
    assert [is_reused(), is_reused()] == [False, True]
