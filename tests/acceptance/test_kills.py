"""Parts of the platform are killed at random moments while a run is under way; the run still ends as if nothing was."""

import os
import random
import re
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.acceptance.auditor import audit, victims
from tests.acceptance.conftest import PROGRAMS, SAMPLE, SHARED_SLIDES, Computer, wait_for

from coverslip import platform
from coverslip.contract.runs import RunState
from coverslip.platform.errors import ServerError, ServerUnreachable
from coverslip.platform.runs import Run

pytestmark = [pytest.mark.process, pytest.mark.timeout(900)]
ROUNDS = int(os.environ.get("ROUNDS", "1"))
ITEMS = 8
LIMIT_S = 120


@pytest.fixture(scope="module")
def running(computer: Computer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Computer]:
    """A platform with short leases and two slots, its administrator logged in, and a folder of slides."""
    computer.settings.update(COVERSLIP_LEASE_S="4", COVERSLIP_HEARTBEAT_S="1", COVERSLIP_RETRY_BACKOFF_S="0.2")
    # A random moment may hit the same item more than once; what is asked here is that nothing is lost.
    computer.settings.update(COVERSLIP_MAX_ATTEMPTS="20")
    for number in range(ITEMS):
        shutil.copy(SHARED_SLIDES / SAMPLE, computer.folder / "slides" / f"slide-{number}.svs")
    (computer.folder / "slides" / SAMPLE).unlink()
    log = tmp_path_factory.mktemp("up") / "log"
    process = computer.start([str(PROGRAMS / "coverslip"), "up", "--workers", "2"], log)
    link = re.search(r"http\S+/welcome\?link=\S+", wait_for("Press Ctrl-C", log, process))
    assert link
    arguments = ("--organization", "Test", "--email", "ada@example.org", "--name", "Ada")
    assert computer.coverslip("user", "login", "--link", link[0], *arguments).returncode == 0
    yield computer
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait(timeout=30) == 0, log.read_text()


def _has_ended(run: Run) -> bool:
    try:
        return run.details().state is RunState.TERMINATED
    except (ServerUnreachable, ServerError):
        return False  # it was just killed


@pytest.mark.parametrize("seed", range(ROUNDS))
@pytest.mark.parametrize("what", ["application", "worker", "service", "database"])
def test_a_run_survives(
    running: Computer, what: str, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in running.environment.items():
        monkeypatch.setenv(name, value)
    dice = random.Random(f"{what} {seed}")
    table = running.folder / f"{what}-{seed}.csv"
    submitted = running.coverslip(
        "application", "run", "execute", "test-app", str(table), "slides", "--no-wait-for-completion"
    )
    run_id = re.search(r"Submitted run with id '([0-9a-f-]+)'", submitted.stdout)
    assert run_id, submitted.stdout + submitted.stderr
    killed = 0
    with platform.Client() as client:
        run = client.run(run_id[1])
        deadline = time.monotonic() + LIMIT_S
        strike_at = time.monotonic() + dice.uniform(0, 1.5)
        while not _has_ended(run):
            assert time.monotonic() < deadline, f"the run did not end: {run.details()}"
            if time.monotonic() >= strike_at and killed < 3:
                for victim in victims(running.home, what)[:1]:
                    try:
                        victim.send_signal(signal.SIGKILL)
                        killed += 1
                    except psutil.NoSuchProcess:
                        continue
                strike_at = time.monotonic() + dice.uniform(0.2, 2)
            time.sleep(0.1)
        assert killed > 0
        assert audit(client, run_id[1], running.home, tmp_path) == []
