"""Processes that die are restarted; none outlives its supervisor."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from coverslip.embedded.process import ManagedProcess
from coverslip.embedded.supervisor import Supervisor

SLEEPER = """
import os, signal, sys, time
from coverslip.embedded.parent_watch import exit_when_parent_dies
exit_when_parent_dies(lambda: os._exit(0))
print("ready", flush=True)
time.sleep(600)
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + SLEEPER


def managed(tmp_path: Path, name: str, code: str, stop_seconds: float = 10) -> ManagedProcess:
    env = {**os.environ, "COVERSLIP_PARENT_PIPE": "1"}
    argv = [sys.executable, "-c", code]
    return ManagedProcess(name, argv, env, tmp_path / f"{name}.log", cwd=tmp_path, stop_seconds=stop_seconds)


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    supervisor = Supervisor(interval_s=0.02)
    yield supervisor
    supervisor.stop()


def test_a_killed_process_is_restarted(tmp_path, supervisor, within) -> None:
    process = managed(tmp_path, "part", SLEEPER)
    supervisor.add(process)
    supervisor.watch()
    for _ in range(2):
        killed = process.pid
        os.kill(killed, signal.SIGKILL)
        within(10, lambda killed=killed: process.alive() and process.pid != killed)


def test_a_process_that_cannot_start_is_tried_again(tmp_path, supervisor, within) -> None:
    process = managed(tmp_path, "part", "raise SystemExit('no')")
    supervisor.add(process)
    supervisor.watch()
    within(20, lambda: process.log.read_text().count("no") >= 3)


def test_stop_is_in_reverse_order_and_kills_what_does_not_end(tmp_path, supervisor, within) -> None:
    first, second = managed(tmp_path, "first", SLEEPER), managed(tmp_path, "second", STUBBORN, stop_seconds=0.2)
    stopped = []
    for process in (first, second):
        supervisor.add(process)
        within(10, lambda process=process: "ready" in process.output())
        stop = process.stop
        process.stop = lambda process=process, stop=stop: (stopped.append(process.name), stop())
    pids = [first.pid, second.pid]
    supervisor.watch()
    supervisor.stop()
    assert stopped == ["second", "first"]
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_children_of_a_process_end_with_it(tmp_path, within) -> None:
    code = "import subprocess, sys; print(subprocess.Popen(['sleep', '600']).pid, flush=True); sys.stdin.read()"
    process = managed(tmp_path, "parent", code)
    process.start()
    within(10, lambda: process.output().strip())
    child = psutil.Process(int(process.output()))
    process.stop()
    within(10, lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_a_module_run_as_a_child_ends_when_its_pipe_does(tmp_path, within) -> None:
    (tmp_path / "part.py").write_text(
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
        "print(__name__, sys.argv[1:], flush=True)\n"
        "time.sleep(600)\n"
    )
    argv = [sys.executable, "-m", "coverslip.embedded.child", "part", "--flag"]
    env = {**os.environ, "COVERSLIP_PARENT_PIPE": "1"}
    with subprocess.Popen(
        argv, env=env, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline() == "__main__ ['--flag']\n"
        child.stdin.close()
        assert child.wait(10) == 7


def test_a_large_log_is_put_aside_at_a_start(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("coverslip.embedded.process.LOG_ROTATION_BYTES", 10)
    process = managed(tmp_path, "part", "print('new')")
    process.log.write_text("old and long enough\n")
    process.start()
    assert process.wait(10) == 0
    assert process.output() == "new\n"
    assert process.last_lines() == "new"
    assert (tmp_path / "part.log.1").read_text() == "old and long enough\n"
    process.stop()


def test_children_die_with_a_killed_supervisor(tmp_path, within) -> None:
    code = f"""
import os, sys
from pathlib import Path
from coverslip.embedded.process import ManagedProcess
from coverslip.embedded.supervisor import Supervisor
env = dict(os.environ, COVERSLIP_PARENT_PIPE="1")
process = ManagedProcess("part", [sys.executable, "-c", {SLEEPER!r}], env, Path("part.log"), cwd=Path.cwd())
supervisor = Supervisor()
supervisor.add(process)
supervisor.watch()
print(process.pid, flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as supervisor:
        assert supervisor.stdout is not None
        child = psutil.Process(int(supervisor.stdout.readline()))
        within(10, lambda: "ready" in (tmp_path / "part.log").read_text())
        supervisor.kill()
        within(10, lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
