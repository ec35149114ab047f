"""What every engine must do with the items a worker leases. The tests of one inherit `EngineConformance`."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from coverslip.contract.worker import MAX_ATTEMPT_LOG_BYTES
from harness.tiny_models import write_tiny_model
from worker.deadlines import is_alive, within
from worker.fake_service import SECRET, FakeService, serve
from worker.worker_process import WorkerProcess, all_gone, ended, pids_of

Start = Callable[..., WorkerProcess]


class EngineConformance:
    """Inherit, and say in `engine_settings` how a worker comes to use the engine."""

    @pytest.fixture(scope="class")
    @classmethod
    def engine_settings(cls) -> dict[str, str]:
        """COVERSLIP_ variables of the worker."""
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def running_service(cls) -> Iterator[FakeService]:
        """A service for the worker of this class alone."""
        with serve() as service:
            yield service

    @pytest.fixture(scope="class")
    @classmethod
    def worker(
        cls,
        running_service: FakeService,
        probe: Path,
        tmp_path_factory: pytest.TempPathFactory,
        engine_settings: dict[str, str],
    ) -> Iterator[WorkerProcess]:
        """A worker with two slots that lives on from test to test."""
        folder = tmp_path_factory.mktemp("worker")
        started = WorkerProcess(folder, running_service.url, probe, slots=2, settings=engine_settings)
        yield started
        assert started.stop() == 0
        assert SECRET not in started.log
        assert started.leftovers() == []

    @pytest.fixture
    def own_service(self) -> Iterator[FakeService]:
        """A service for one test."""
        with serve() as service:
            yield service

    @pytest.fixture
    def start(
        self, own_service: FakeService, probe: Path, tmp_path: Path, engine_settings: dict[str, str]
    ) -> Iterator[Start]:
        """Start a worker of the test's own; all have the same scratch folder."""
        started: list[WorkerProcess] = []

        def begin(settings: Mapping[str, str] = MappingProxyType({}), **options: Any) -> WorkerProcess:
            worker = WorkerProcess(
                tmp_path, own_service.url, probe, settings={**engine_settings, **settings}, **options
            )
            started.append(worker)
            return worker

        yield begin
        for worker in started:
            worker.kill()
            assert SECRET not in worker.log

    def test_an_item_comes_to_its_end(self, worker: WorkerProcess, service: FakeService) -> None:
        item = service.add("succeed", more=2, more_bytes=100_000)
        report = ended(item)
        assert (report["outcome"], report["error_code"]) == ("SUCCEEDED", None)
        assert report["peak_memory_mb"] > 0
        assert item.uploads["report"] == b"case 7.svs: 7 bytes"
        assert set(item.published) == {"report", "more-0", "more-1"}
        assert "writing" in [stage["stage"] for stage in report["stages"]]

    @pytest.mark.parametrize(
        ("behave", "more", "outcome", "code", "message"),
        [
            ("blame", {}, "USER_ERROR", "INPUT.NO_TISSUE", "There is no tissue {at all} on this slide."),
            ("fail", {}, "SYSTEM_ERROR", "APPLICATION.FAILED", "no luck"),
            ("leave", {"code": 3}, "SYSTEM_ERROR", "APPLICATION.CRASHED", "exit code 3"),
            ("leave_at_once", {}, "SYSTEM_ERROR", "APPLICATION.FAILED", "before it was done"),
            ("leave_half_a_message", {}, "SYSTEM_ERROR", "APPLICATION.CRASHED", "SIGKILL"),
            ("send_nonsense", {}, "SYSTEM_ERROR", "APPLICATION.FAILED", "cannot be read"),
            (
                "take_memory_in_a_child",
                {"mib": 300, "memory_limit_mb": 200},
                "SYSTEM_ERROR",
                "APPLICATION.OUT_OF_MEMORY",
                "200 MB",
            ),
            # On a busy machine it takes seconds until the application is at work.
            ("wait", {"time_limit_s": 8}, "SYSTEM_ERROR", "APPLICATION.TIMEOUT", "while waiting"),
            ("succeed", {"checksum_base64_crc32c": "AAAAAA=="}, "USER_ERROR", "INPUT.CHECKSUM_MISMATCH", "case 7.svs"),
            ("publish_link", {"file": "/etc/passwd"}, "SYSTEM_ERROR", "APPLICATION.FAILED", "output folder"),
        ],
    )
    def test_what_fails_is_reported(
        self,
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

    def test_a_crash_is_reported_with_its_stage_and_the_end_of_its_log(
        self, worker: WorkerProcess, service: FakeService
    ) -> None:
        report = ended(service.add("crash"))
        assert "SIGSEGV while reading" in report["error_message"]
        assert "about to crash" in report["log"]
        chatter = ended(service.add("chatter"))["log"]
        assert len(chatter.encode()) <= MAX_ATTEMPT_LOG_BYTES
        assert chatter.endswith("the \\ud800 end\n")

    def test_nothing_outlives_an_item(self, worker: WorkerProcess, service: FakeService, tmp_path: Path) -> None:
        item = service.add("leave_a_daemon", mark=str(tmp_path / "mark"))
        ended(item)
        within(60, lambda: all_gone(pids_of(tmp_path / "mark")))
        within(60, lambda: worker.leftovers() == [])

    def test_only_the_item_whose_lease_is_lost_is_stopped(
        self, worker: WorkerProcess, service: FakeService, tmp_path: Path
    ) -> None:
        items = [service.add("wait", mark=str(tmp_path / name)) for name in ("one", "two")]
        first, second = (pids_of(tmp_path / name) for name in ("one", "two"))
        items[0].lost = True
        within(60, lambda: all_gone(first))
        assert all(is_alive(pid) for pid in second.values())
        within(60, lambda: len(worker.leftovers()) == 1)
        items[1].lost = True
        within(60, lambda: all_gone(second))
        within(60, lambda: worker.leftovers() == [])
        assert [item.report for item in items] == [None, None]

    def test_an_application_sees_nothing_of_its_worker(self, worker: WorkerProcess, service: FakeService) -> None:
        item = service.add("tell")
        assert ended(item)["outcome"] == "SUCCEEDED"
        seen = json.loads(item.uploads["report"])
        assert SECRET not in str(seen)
        assert [entry for entry in seen["environ"] if entry.startswith(("COVERSLIP_", "PYTHON", "RAY_"))] == []
        assert sorted(name.partition(":")[0] for name in seen["descriptors"]) == ["/dev/null", "pipe", "pipe", "pipe"]
        assert "Max core file size        0" in seen["core_limit"]

    def test_an_application_uses_the_models_that_the_site_chose(
        self, start: Start, own_service: FakeService, tmp_path: Path
    ) -> None:
        models = tmp_path / "models"
        models.mkdir()
        write_tiny_model(models, "hover")
        chosen = {"COVERSLIP_MODELS": str(models), "COVERSLIP_MODEL_NUCLEI": "hover"}
        start(settings=chosen)
        item = own_service.add("tell")
        assert ended(item)["outcome"] == "SUCCEEDED"
        seen = json.loads(item.uploads["report"])["environ"]
        assert dict(entry.split("=") for entry in seen if entry.startswith("COVERSLIP_")) == chosen
        assert list(item.models) == ["nuclei"]
        assert item.models["nuclei"].startswith("hover 1.0.0 ")

    def test_a_worker_that_is_told_to_stop_gives_its_items_back(
        self, start: Start, own_service: FakeService, tmp_path: Path
    ) -> None:
        worker = start(slots=2)
        items = [own_service.add("wait", mark=str(tmp_path / name)) for name in ("one", "two")]
        pids = {f"{name} {kind}": pid for name in ("one", "two") for kind, pid in pids_of(tmp_path / name).items()}
        assert worker.stop() == 0
        within(60, lambda: all_gone(pids))
        within(60, lambda: worker.leftovers() == [])
        assert [ended(item)["error_code"] for item in items] == ["WORKER.STOPPED"] * 2

    def test_a_worker_that_is_killed_takes_its_applications_along_and_its_successor_cleans_up(
        self, start: Start, own_service: FakeService, tmp_path: Path
    ) -> None:
        worker = start()
        own_service.add("wait", mark=str(tmp_path / "mark"))
        pids = pids_of(tmp_path / "mark")
        worker.kill()
        within(60, lambda: all_gone(pids))
        assert len(worker.leftovers()) == 1
        start()
        within(60, lambda: worker.leftovers() == [])
