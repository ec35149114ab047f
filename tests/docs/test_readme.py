"""Every command and snippet of the README runs, in its order, on a platform that its tour started."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.acceptance.conftest import PROGRAMS, REPOSITORY, Computer, computer, wait_for

__all__ = ["computer"]

pytestmark = pytest.mark.process
README = (REPOSITORY / "README.md").read_text()
FENCES = re.findall(r"^```(sh|python)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
# The fences that are not run here: tests of their own do what these targets do, and the platform is started below.
ELSEWHERE = {"make demo\n", "make test\n", ".venv/bin/coverslip up\n"}


@pytest.fixture
def link(computer: Computer, tmp_path: Path) -> Iterator[str]:
    """The link that `coverslip up` prints at its first start; the platform runs as long as the test."""
    log = tmp_path / "up"
    process = computer.start([str(PROGRAMS / "coverslip"), "up"], log)
    printed = wait_for("Press Ctrl-C", log, process)
    found = re.search(r"http\S+/welcome\?link=\S+", printed)
    assert found, printed
    yield found[0]
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait(timeout=30) == 0, log.read_text()


def test_every_command_and_snippet_runs(computer: Computer, link: str) -> None:
    assert {text for _, text in FENCES} >= ELSEWHERE
    root = link.partition("/welcome")[0]
    for language, text in FENCES:
        if text in ELSEWHERE:
            continue
        # The README names the usual port; another program may have it here.
        script = text.replace("http://127.0.0.1:8000", root)
        argv = ["sh", "-e", "-c", script] if language == "sh" else [str(PROGRAMS / "python"), "-c", script]
        ended = computer.run(argv, extra={"LINK": link})
        assert ended.returncode == 0, f"{text}\n{ended.stdout}\n{ended.stderr}"
    listed = computer.coverslip("application", "run", "list", "--tags", "tour", "--format", "json")
    assert '"ALL_ITEMS_PROCESSED"' in listed.stdout


def test_targets_exist() -> None:
    """`make` alone lists each target that the README names."""
    listed = subprocess.run(["make"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    for target in re.findall(r"^make (\w+)$", README, re.MULTILINE):
        assert f"make {target} " in listed


def test_links_lead_somewhere() -> None:
    """Every relative link of the README is a file or folder of the repository."""
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("https://") or (REPOSITORY / target).exists(), target
