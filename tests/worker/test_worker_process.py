"""The worker as a process, against a service that fails on demand."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from worker.deadlines import is_alive, within
from worker.fake_service import SECRET, FakeService, Slide, serve
from worker.worker_process import WorkerProcess, all_gone, ended, pids_of

pytestmark = pytest.mark.process

MIB = 1 << 20


@pytest.fixture(scope="module")
def running_service() -> Iterator[FakeService]:
    """A service for this worker alone, which would take the items of other tests."""
    with serve() as service:
        yield service


@pytest.fixture(scope="module")
def shared_worker(
    running_service: FakeService, probe: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WorkerProcess]:
    started = WorkerProcess(tmp_path_factory.mktemp("worker"), running_service.url, probe, slots=2)
    yield started
    items = [running_service.add("succeed") for _ in range(4)]
    assert [ended(item)["outcome"] for item in items] == ["SUCCEEDED"] * 4
    assert started.stop() == 0
    assert SECRET not in started.log
    assert started.leftovers() == []


@pytest.fixture
def worker(shared_worker: WorkerProcess, service: FakeService) -> Iterator[WorkerProcess]:
    """A worker with two slots that lives on from test to test, and leaves nothing behind after each."""
    yield shared_worker
    service.away.clear()
    service.held_up.clear()
    service.refuses.clear()
    within(10, lambda: shared_worker.leftovers() == [])


def test_an_item_comes_to_its_end(worker: WorkerProcess, service: FakeService) -> None:
    item = service.add("succeed", more=20, more_bytes=100_000)
    report = ended(item)
    assert (report["outcome"], report["error_code"]) == ("SUCCEEDED", None)
    assert report["stage"] == "storing the results"
    assert report["peak_memory_mb"] > 0
    assert set(item.published) == {"report", *(f"more-{number}" for number in range(20))}
    assert item.uploads["report"] == b"case 7.svs: 7 bytes"
    assert item.uploads["more-9"] == b"\x09" * 100_000
    assert item.published["report"]["metadata"] == {"media_type": "text/plain"}


def test_an_item_whose_results_the_service_has_is_not_processed(worker: WorkerProcess, service: FakeService) -> None:
    item = service.add("fail")
    item.reused = True
    report = ended(item)
    assert (report["outcome"], report["error_code"], report["log"]) == ("SUCCEEDED", None, "")
    digest = hashlib.sha256(b"a slide").hexdigest()
    assert item.contents == [{"name": "slide", "file_name": "slide.svs", "sha256": digest}]
    assert item.published == {}


@pytest.mark.parametrize(
    ("behave", "more", "outcome", "code", "message"),
    [
        ("blame", {}, "USER_ERROR", "INPUT.NO_TISSUE", "There is no tissue {at all} on this slide."),
        ("fail", {}, "SYSTEM_ERROR", "APPLICATION.FAILED", "no luck"),
        ("leave_at_once", {}, "SYSTEM_ERROR", "APPLICATION.FAILED", "before it was done"),
        ("crash", {}, "SYSTEM_ERROR", "APPLICATION.CRASHED", "SIGSEGV while reading"),
        ("take_memory", {"mib": 300, "memory_limit_mb": 200}, "SYSTEM_ERROR", "APPLICATION.OUT_OF_MEMORY", "200 MB"),
        ("wait", {"time_limit_s": 8}, "SYSTEM_ERROR", "APPLICATION.TIMEOUT", "while waiting"),
        ("succeed", {"checksum_base64_crc32c": "AAAAAA=="}, "USER_ERROR", "INPUT.CHECKSUM_MISMATCH", "case 7.svs"),
        ("succeed", {"slide": Slide(b"", status=403)}, "USER_ERROR", "INPUT.DOWNLOAD_REFUSED", "answered 403"),
        ("succeed", {"slide": Slide(b"", status=404)}, "USER_ERROR", "INPUT.DOWNLOAD_REFUSED", "answered 404"),
        ("succeed", {"url": f"http://[::1]:1/?{SECRET}"}, "USER_ERROR", "INPUT.ADDRESS_REFUSED", "private network"),
        ("succeed", {"url": f"http://0.0.0.0:1/?{SECRET}"}, "USER_ERROR", "INPUT.ADDRESS_REFUSED", "FETCH_ALLOW"),
        ("publish_foreign_file", {"file": "/etc/passwd"}, "SYSTEM_ERROR", "APPLICATION.FAILED", "output folder"),
        ("publish_link", {"file": "/etc/passwd"}, "SYSTEM_ERROR", "APPLICATION.FAILED", "output folder"),
        ("publish_relative", {}, "SYSTEM_ERROR", "APPLICATION.FAILED", "output folder"),
        ("publish_wrong_metadata", {}, "SYSTEM_ERROR", "APPLICATION.FAILED", ""),
        ("no_such_behaviour", {}, "SYSTEM_ERROR", "APPLICATION.FAILED", "KeyError"),
        ("succeed", {"version_number": "9.9.9"}, "SYSTEM_ERROR", "APPLICATION.FAILED", "probe 1.0.0"),
    ],
)
def test_what_fails_is_reported(
    worker: WorkerProcess,
    service: FakeService,
    behave: str,
    more: dict[str, Any],
    outcome: str,
    code: str,
    message: str,
) -> None:
    item = service.add(behave, **more)
    report = ended(item)
    assert (report["outcome"], report["error_code"]) == (outcome, code)
    assert message in report["error_message"]
    assert item.published == {}


FAILURES = [(step, how) for step in ("slide", "sign", "upload", "publish", "report") for how in ("503", "drop", "lost")]


@pytest.mark.parametrize(("step", "how"), [("lease", "503"), ("lease", "drop"), *FAILURES])
def test_a_step_that_fails_is_repeated(worker: WorkerProcess, service: FakeService, step: str, how: str) -> None:
    service.away[step] = how
    item = service.add("succeed")
    within(20, lambda: service.seen[step] >= 3)
    service.away.clear()
    assert ended(item)["outcome"] == "SUCCEEDED"
    assert set(item.published) == {"report"}


@pytest.mark.parametrize("how", ["503", "drop"])
def test_a_heartbeat_that_fails_is_repeated(worker: WorkerProcess, service: FakeService, how: str) -> None:
    service.away["heartbeat"] = how
    service.held_up.add("publish")
    item = service.add("succeed")
    within(20, lambda: service.seen["heartbeat"] >= 3)
    service.away.clear()
    within(20, lambda: item.heartbeats)
    service.held_up.clear()
    assert ended(item)["outcome"] == "SUCCEEDED"


@pytest.mark.parametrize("step", ["slide body", "upload", "sign", "publish"])
def test_work_stops_wherever_it_is_when_the_lease_is_lost(
    worker: WorkerProcess, service: FakeService, step: str
) -> None:
    service.held_up.add(step)
    item = service.add("publish_and_wait", slide=Slide(bytes(9 * MIB)))
    within(20, lambda: service.seen[step.split()[0]] and item.heartbeats)
    item.lost = True
    within(10, lambda: worker.leftovers() == [])
    service.held_up.clear()
    assert item.published == {}
    assert item.report is None


def test_the_application_dies_when_the_lease_is_lost(
    worker: WorkerProcess, service: FakeService, tmp_path: Path
) -> None:
    items = [service.add("wait", mark=str(tmp_path / name)) for name in ("one", "two")]
    first, second = (pids_of(tmp_path / name) for name in ("one", "two"))
    items[0].lost = True
    within(10, lambda: all_gone(first))
    assert not any(not is_alive(pid) for pid in second.values())
    within(10, lambda: len(worker.leftovers()) == 1)
    items[1].lost = True
    within(10, lambda: all_gone(second))
    assert [item.report for item in items] == [None, None]


@pytest.mark.parametrize("how", ["503", "drop", "silent", "refused"])
def test_an_attempt_ends_itself_when_no_heartbeat_gets_through_for_longer_than_its_lease(
    worker: WorkerProcess, service: FakeService, tmp_path: Path, how: str
) -> None:
    service.lease_s = 1
    item = service.add("wait", mark=str(tmp_path / "mark"))
    pids = pids_of(tmp_path / "mark")
    if how == "silent":
        service.held_up.add("heartbeat")
    elif how == "refused":
        service.refuses["heartbeat"] = (401, "WORKER.UNKNOWN")
    else:
        service.away["heartbeat"] = how
    within(15, lambda: all_gone(pids))
    within(10, lambda: worker.leftovers() == [])
    assert item.report is None


def test_heartbeats_are_sent_while_a_slide_is_fetched_and_results_are_stored(
    worker: WorkerProcess, service: FakeService
) -> None:
    service.lease_s = 2
    service.held_up |= {"slide body", "upload"}
    item = service.add("succeed", slide=Slide(bytes(20 * MIB)))
    within(20, lambda: len(item.heartbeats) >= 5)
    assert {heartbeat["stage"] for heartbeat in item.heartbeats} == {"fetching the slide"}
    service.held_up.remove("slide body")
    within(20, lambda: [beat["stage"] for beat in item.heartbeats].count("storing the results") >= 5)
    service.held_up.clear()
    assert ended(item)["outcome"] == "SUCCEEDED"


@pytest.mark.parametrize("step", ["sign", "publish"])
def test_an_artifact_that_is_refused_ends_the_application(
    worker: WorkerProcess, service: FakeService, step: str
) -> None:
    service.refuses[step] = (400, "ARTIFACT.METADATA_INVALID")
    report = ended(service.add("publish_and_wait"))
    assert (report["outcome"], report["error_code"]) == ("SYSTEM_ERROR", "ARTIFACT.METADATA_INVALID")
    assert f"No {step}." in report["error_message"]


def test_a_store_that_refuses_ends_the_application(worker: WorkerProcess, service: FakeService) -> None:
    service.refuses["upload"] = (403, "STORE.SIGNATURE_REFUSED")
    report = ended(service.add("publish_and_wait"))
    assert (report["outcome"], report["error_code"]) == ("SYSTEM_ERROR", "ARTIFACT.NOT_STORED")
    assert service.seen["sign"] == service.seen["upload"] == 3


@pytest.mark.parametrize("status", [400, 422])
def test_a_report_that_is_refused_costs_only_this_item(
    worker: WorkerProcess, service: FakeService, status: int
) -> None:
    service.refuses["report"] = (status, "REQUEST.INVALID")
    service.add("succeed")
    within(20, lambda: service.seen["report"] and worker.leftovers() == [])
    service.refuses.clear()
    ended(service.add("succeed"))
    assert service.seen["report"] == 2


def test_what_an_earlier_attempt_published_is_not_uploaded_again(worker: WorkerProcess, service: FakeService) -> None:
    service.held_up.add("slide")
    item = service.add("succeed", attempt=2, more=1, more_bytes=1)
    item.published["report"] = {}
    service.held_up.clear()
    assert ended(item)["outcome"] == "SUCCEEDED"
    assert set(item.uploads) == {"more-0"}


@pytest.mark.parametrize("ranges", [True, False])
def test_nothing_large_is_held_in_memory(worker: WorkerProcess, service: FakeService, ranges: bool) -> None:
    service.lease_s = 30
    ended(service.add("succeed"))
    before_mb = peak_memory_mb(worker)
    slide = Slide(bytes(150 * MIB), ranges=ranges)
    item = service.add("succeed", slide=slide, more=1, more_bytes=150 * MIB)
    assert ended(item)["outcome"] == "SUCCEEDED"
    assert len(item.uploads["more-0"]) == 150 * MIB
    assert peak_memory_mb(worker) - before_mb < 100


def peak_memory_mb(worker: WorkerProcess) -> int:
    status = Path(f"/proc/{worker.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024
