"""Workers that meet a full disk, are stopped or killed: each test has its own."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from worker import fake_service
from worker.deadlines import within
from worker.fake_service import SECRET, FakeService, Slide, serve
from worker.worker_process import WorkerProcess, all_gone, ended, pids_of

pytestmark = pytest.mark.process

MIB = 1 << 20
Start = Callable[..., WorkerProcess]


@pytest.fixture
def service() -> Iterator[FakeService]:
    """A service for each test: no worker of another takes its items."""
    with serve() as service:
        yield service


@pytest.fixture
def start(service: FakeService, probe: Path, tmp_path: Path) -> Iterator[Start]:
    """Start a worker of the test's own."""
    started: list[WorkerProcess] = []

    def begin(name: str = "worker", **options: Any) -> WorkerProcess:
        worker = WorkerProcess(tmp_path / name, service.url, probe, **options)
        started.append(worker)
        return worker

    yield begin
    for worker in started:
        worker.kill()
        assert SECRET not in worker.log


@pytest.mark.parametrize("how", ["slide", "application"])
def test_a_full_scratch_disk_is_reported_and_the_worker_rests(start: Start, service: FakeService, how: str) -> None:
    worker = start()
    # A limit on the size of a file stands in for a full disk: both refuse to write on.
    within(20, lambda: service.seen["lease"])
    psutil.Process(worker.process.pid).rlimit(psutil.RLIMIT_FSIZE, (2 * MIB, 2 * MIB))
    if how == "slide":
        item = service.add("succeed", slide=Slide(bytes(9 * MIB), ranges=False))
    else:
        item = service.add("fill_disk", mib=3)
    report = ended(item)
    assert report["outcome"] == "SYSTEM_ERROR"
    assert report["error_code"] == {"slide": "WORKER.SCRATCH_FULL", "application": "APPLICATION.FAILED"}[how]
    within(10, lambda: worker.leftovers() == [])
    if how == "slide":
        within(10, lambda: "scratch disk is full" in worker.log)
        assert worker.process.poll() is None


@pytest.mark.parametrize("ahead_h", [-24 * 400, 24 * 400])
def test_a_worker_whose_clock_is_wrong_keeps_and_loses_leases_as_any_other(
    start: Start, service: FakeService, tmp_path: Path, ahead_h: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake_service, "CLOCK_AHEAD", timedelta(hours=ahead_h))
    service.lease_s = 2
    worker = start()
    item = service.add("wait", mark=str(tmp_path / "mark"))
    pids = pids_of(tmp_path / "mark")
    within(20, lambda: len(item.heartbeats) >= 5)
    assert not all_gone(pids)
    service.away["heartbeat"] = "503"
    within(20, lambda: all_gone(pids))
    service.away.clear()
    within(10, lambda: worker.leftovers() == [])
    assert ended(service.add("succeed"))["outcome"] == "SUCCEEDED"


@pytest.mark.parametrize("away", [False, True])
def test_a_worker_that_is_told_to_stop_gives_its_items_back(
    start: Start, service: FakeService, tmp_path: Path, away: bool
) -> None:
    worker = start(slots=2)
    items = [service.add("wait", mark=str(tmp_path / name)) for name in ("one", "two")]
    pids = {f"{name} {kind}": pid for name in ("one", "two") for kind, pid in pids_of(tmp_path / name).items()}
    if away:
        service.held_up |= {"heartbeat", "report"}
    assert worker.stop() == 0
    assert all_gone(pids)
    assert worker.leftovers() == []
    if not away:
        assert [ended(item)["error_code"] for item in items] == ["WORKER.STOPPED"] * 2


def test_a_worker_stops_while_it_waits_for_work_or_for_the_service(start: Start, service: FakeService) -> None:
    worker = start()
    within(20, lambda: service.seen["lease"])
    service.away["lease"] = "503"
    within(20, lambda: "the service is away" in worker.log)
    assert worker.stop() == 0


def test_a_worker_that_is_killed_takes_its_applications_along_and_its_successor_cleans_up(
    start: Start, service: FakeService, tmp_path: Path
) -> None:
    worker = start()
    service.add("wait", mark=str(tmp_path / "mark"))
    pids = pids_of(tmp_path / "mark")
    worker.kill()
    within(10, lambda: all_gone(pids))
    assert len(worker.leftovers()) == 1
    start()
    within(20, lambda: worker.leftovers() == [])


def test_workers_that_share_a_scratch_disk_do_not_clean_up_each_others_work(
    start: Start, service: FakeService, tmp_path: Path
) -> None:
    first = start("first")
    item = service.add("wait", mark=str(tmp_path / "mark"))
    pids = pids_of(tmp_path / "mark")
    start("second", scratch=first.scratch)
    assert ended(service.add("succeed"))["outcome"] == "SUCCEEDED"
    within(10, lambda: len(first.leftovers()) == 1)
    assert not all_gone(pids)
    item.lost = True
    within(10, lambda: first.leftovers() == [])
