"""An application in a process of its own: what comes out of it, what ends it, and what it sees of its worker."""

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from coverslip.contract.worker import MAX_ATTEMPT_LOG_BYTES
from coverslip.worker.engines import keeper
from coverslip.worker.engines.messages import Job, JobInput, Message
from coverslip.worker.engines.process import ApplicationProcess, Limits
from coverslip.worker.errors import (
    ApplicationCrashed,
    ApplicationFailed,
    ApplicationOutOfMemory,
    ApplicationTimeout,
    PlatformFault,
)
from worker.deadlines import is_alive, within

pytestmark = pytest.mark.process

AMPLE = Limits(memory_mb=512, time_s=60)


class Outcome:
    """All that came out of one run."""

    def __init__(self, running: ApplicationProcess, folder: Path) -> None:
        self.running = running
        self.outputs = folder / "outputs"
        self.messages: list[Message] = []
        self.fault: PlatformFault | None = None

    @property
    def kinds(self) -> list[str]:
        return [message.kind for message in self.messages]

    def pids(self) -> dict[str, int]:
        pids: dict[str, int] = json.loads((self.outputs / "pids.json").read_text())
        return pids


class TestApplicationProcess:
    """`ApplicationProcess` with the probe application."""

    @pytest.fixture(autouse=True)
    def _place(self, tmp_path: Path, applications: Path) -> None:
        self.folder = tmp_path

    def run(
        self,
        behave: str,
        limits: Limits = AMPLE,
        stop_at: Callable[[Message], bool] | None = None,
        **metadata: object,
    ) -> Outcome:
        """Run the probe application; its iterator is closed at the message that ``stop_at`` accepts."""
        slide = self.folder / "slide.tiff"
        slide.write_bytes(b"a slide")
        outputs = self.folder / "outputs"
        outputs.mkdir(exist_ok=True)
        job = Job(
            application_id="probe",
            version_number="1.0.0",
            item_id="an-item",
            external_id="case 7",
            inputs={"slide": JobInput(path=slide, metadata={"behave": behave, **metadata})},
            outputs_directory=outputs,
        )
        outcome = Outcome(ApplicationProcess(job, limits, self.folder), self.folder)

        async def follow() -> None:
            async with contextlib.aclosing(outcome.running.run()) as messages:
                async for message in messages:
                    outcome.messages.append(message)
                    if stop_at is not None and stop_at(message):
                        return

        async def bounded() -> None:
            async with asyncio.timeout(60):
                try:
                    await follow()
                except PlatformFault as fault:
                    outcome.fault = fault

        asyncio.run(bounded())
        return outcome

    def test_gives_progress_and_artifacts(self) -> None:
        outcome = self.run("succeed", more=2, more_bytes=10)
        assert outcome.fault is None
        assert outcome.kinds == ["progress", "artifact", "artifact", "artifact", "progress", "completed"]
        first, report, *_ = outcome.messages
        assert (first.stage, first.fraction) == ("counting", 0.25)
        assert (report.name, report.metadata) == ("report", {"media_type": "text/plain"})
        assert report.path.read_text() == "case 7: 7 bytes"
        assert outcome.running.stage == "writing"
        assert outcome.running.peak_memory_mb > 0

    def test_blames_the_input(self) -> None:
        outcome = self.run("blame")
        assert outcome.kinds == ["input_blamed"]
        assert outcome.messages[0].code == "INPUT.NO_TISSUE"
        assert outcome.messages[0].message == "There is no tissue {at all} on this slide."

    def test_reports_an_exception_that_is_no_text_for_a_database(self) -> None:
        outcome = self.run("fail")
        assert outcome.kinds == ["progress", "raised"]
        assert (outcome.messages[0].stage, outcome.messages[0].fraction) == ("failing?", 0)
        assert outcome.messages[1].reason == "ValueError: no luck ? {really}"
        assert "Traceback" in outcome.running.log
        assert "in fail" in outcome.running.log

    def test_refuses_metadata_that_is_not_json(self) -> None:
        outcome = self.run("publish_wrong_metadata")
        assert outcome.kinds == ["raised"]

    @pytest.mark.parametrize("code", [3, 255])
    def test_reports_an_exit_code(self, code: int) -> None:
        outcome = self.run("leave", code=code)
        assert isinstance(outcome.fault, ApplicationCrashed)
        assert f"exit code {code}" in str(outcome.fault)

    @pytest.mark.parametrize(("behave", "metadata"), [("leave", {"code": 0}), ("leave_at_once", {})])
    def test_an_application_that_just_leaves_is_not_done(self, behave: str, metadata: dict[str, int]) -> None:
        outcome = self.run(behave, **metadata)
        assert outcome.fault is None
        assert "completed" not in outcome.kinds

    def test_does_not_wait_for_threads_that_are_left(self) -> None:
        assert self.run("leave_a_thread").kinds == ["completed"]

    def test_reports_a_crash_with_its_stage_and_log(self) -> None:
        outcome = self.run("crash")
        assert isinstance(outcome.fault, ApplicationCrashed)
        assert "SIGSEGV while reading" in str(outcome.fault)
        assert "about to crash" in outcome.running.log
        assert "Segmentation fault" in outcome.running.log
        assert [path.name for path in self.folder.rglob("core*")] == []

    def test_reports_being_killed_in_the_middle_of_a_message(self) -> None:
        outcome = self.run("leave_half_a_message")
        assert isinstance(outcome.fault, ApplicationCrashed)
        assert "SIGKILL" in str(outcome.fault)

    def test_believes_no_nonsense(self) -> None:
        outcome = self.run("send_nonsense")
        assert isinstance(outcome.fault, ApplicationFailed)

    def test_reports_being_killed_from_outside(self) -> None:
        def kill(message: Message) -> bool:
            os.kill(json.loads((self.folder / "outputs" / "pids.json").read_text())["application"], 9)
            return False

        outcome = self.run("wait", stop_at=kill)
        assert isinstance(outcome.fault, ApplicationCrashed)
        assert "SIGKILL while waiting" in str(outcome.fault)
        assert [name for name, pid in outcome.pids().items() if is_alive(pid)] == []

    @pytest.mark.parametrize("behave", ["take_memory", "take_memory_in_a_child"])
    def test_enforces_the_memory_limit(self, behave: str) -> None:
        outcome = self.run(behave, Limits(memory_mb=150, time_s=60), mib=200)
        assert isinstance(outcome.fault, ApplicationOutOfMemory)
        assert outcome.fault.facts["limit_mb"] == 150
        assert outcome.running.peak_memory_mb > 150

    def test_counts_shared_memory_once_and_mapped_files_not_at_all(self) -> None:
        outcome = self.run("share_memory", Limits(memory_mb=250, time_s=60), mib=150)
        assert outcome.fault is None
        assert outcome.kinds == ["completed"]

    def test_enforces_the_time_limit(self) -> None:
        outcome = self.run("wait", Limits(memory_mb=512, time_s=1))
        assert isinstance(outcome.fault, ApplicationTimeout)
        assert "while waiting" in str(outcome.fault)
        assert [name for name, pid in outcome.pids().items() if is_alive(pid)] == []

    def test_keeps_the_end_of_what_is_printed(self) -> None:
        outcome = self.run("chatter")
        assert outcome.kinds == ["completed"]
        assert len(outcome.running.log) <= MAX_ATTEMPT_LOG_BYTES
        assert "\x00" not in outcome.running.log
        assert outcome.running.log.encode().decode().endswith("the \\ud800 end\n")

    def test_survives_an_application_that_closes_its_streams(self) -> None:
        assert self.run("close_everything").kinds == ["progress", "completed"]

    def test_leaves_out_progress_that_nobody_could_see(self) -> None:
        outcome = self.run("flood")
        assert outcome.kinds[-1] == "completed"
        assert len(outcome.messages) < 10_000

    def test_leaves_no_daemon_behind(self) -> None:
        outcome = self.run("leave_a_daemon")
        assert outcome.kinds == ["completed"]
        assert not is_alive(outcome.pids()["daemon"])

    def test_closing_ends_everything(self) -> None:
        outcome = self.run("wait", stop_at=lambda message: True)
        assert outcome.fault is None
        assert [name for name, pid in outcome.pids().items() if is_alive(pid)] == []

    def test_cancelling_ends_everything(self) -> None:
        def cancel(message: Message) -> bool:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            return False

        with pytest.raises(asyncio.CancelledError):
            self.run("wait", stop_at=cancel)
        pids = json.loads((self.folder / "outputs" / "pids.json").read_text())
        assert [name for name, pid in pids.items() if is_alive(pid)] == []

    def test_the_application_sees_nothing_of_its_worker(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COVERSLIP_WORKER_TOKEN_FILE", "/somewhere/secret")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        monkeypatch.setenv("PYTHONPATH", "/somewhere/secret")
        private = self.folder / "private"
        with private.open("w") as file, socket.socket() as listening:
            os.set_inheritable(file.fileno(), True)
            os.set_inheritable(listening.fileno(), True)
            outcome = self.run("tell")
        assert outcome.kinds[-1] == "completed"
        seen = json.loads((outcome.outputs / "report.txt").read_text())
        assert "secret" not in str(seen["environ"]) + seen["arguments"]
        assert [entry for entry in seen["environ"] if entry.startswith(("COVERSLIP_", "PYTHON"))] == []
        kinds = sorted(name.partition(":")[0] for name in seen["descriptors"])
        assert kinds == ["/dev/null", "pipe", "pipe", "pipe"]
        assert str(self.folder) not in seen["path"]
        assert "" not in seen["path"]
        assert "Max core file size        0" in seen["core_limit"]

    def test_a_keeper_that_dies_first_is_no_fault_of_the_worker(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Its end of the pipe closes before anybody has noticed that it ended."""
        dying = self.folder / "dying.py"
        message = '{"kind": "raised", "reason": "no luck"}'
        dying.write_text(f"import os, time\nos.close(0)\nprint({message!r}, flush=True)\ntime.sleep(3600)\n")
        monkeypatch.setattr(keeper, "__file__", str(dying))

        def pipe_is_closed(message: Message) -> bool:
            return True

        outcome = self.run("fail", stop_at=pipe_is_closed)
        assert (outcome.kinds, outcome.fault) == (["raised"], None)

    def test_an_application_that_stops_itself_and_its_keeper_is_ended(self) -> None:
        outcome = self.run("stop_everything", stop_at=lambda message: True)
        assert outcome.fault is None
        within(10, lambda: not any(is_alive(pid) for pid in outcome.pids().values()))

    def test_the_application_of_a_worker_that_hangs_ends_itself(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # The keeper is a script, so its patience is shortened in a copy.
        impatient = self.folder / "impatient.py"
        source = Path(keeper.__file__).read_text()
        assert "SILENCE_S = 30" in source
        impatient.write_text(source.replace("SILENCE_S = 30", "SILENCE_S = 2"))
        monkeypatch.setattr(keeper, "__file__", str(impatient))

        def hang(message: Message) -> bool:
            pids = json.loads((self.folder / "outputs" / "pids.json").read_text())
            within(30, lambda: not any(is_alive(pid) for pid in pids.values()))
            return False

        outcome = self.run("wait", stop_at=hang)
        assert isinstance(outcome.fault, ApplicationCrashed)
        assert "SIGKILL" in str(outcome.fault)
