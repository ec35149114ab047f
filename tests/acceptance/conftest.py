"""Whole platforms, started as users start them, each with a home of its own."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from coverslip.embedded.home import home_at
from coverslip.embedded.ports import free_port
from coverslip.embedded.postgres.place import system_folder_of

REPOSITORY = Path(__file__).parents[2]
SHARED_SLIDES = REPOSITORY.parent / "shared" / "slides"
PROGRAMS = Path(sys.executable).parent
SAMPLE = "CMU-1-Small-Region.svs"


@dataclass(frozen=True)
class Computer:
    """A user's computer: a home, a working folder with slides, and nothing of ours in the environment."""

    home: Path
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        ours = {"COVERSLIP_HOME": str(self.home), "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"}
        return (
            {name: value for name, value in os.environ.items() if not name.startswith("COVERSLIP_")}
            | ours
            | self.settings
        )

    def run(
        self, argv: Sequence[str], *, extra: Mapping[str, str] | None = None, limit_s: float = 120
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command in the working folder to its end."""
        return subprocess.run(
            argv,
            cwd=self.folder,
            env=self.environment | dict(extra or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )

    def coverslip(self, *arguments: str, extra: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        """Run `coverslip`."""
        return self.run(["coverslip", *arguments], extra=extra)

    def start(self, argv: Sequence[str], log: Path) -> "subprocess.Popen[str]":
        """Start a command in a process group of its own, its output going to ``log``."""
        with log.open("w") as output:
            return subprocess.Popen(
                argv,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )


def wait_for(text: str, log: Path, process: "subprocess.Popen[str]", limit_s: float = 60) -> str:
    """Wait until ``text`` stands in ``log``; returns the log."""
    deadline = time.monotonic() + limit_s
    while text not in (found := log.read_text()):
        assert process.poll() is None, f"ended with {process.returncode}: {found}"
        assert time.monotonic() < deadline, f"{text!r} did not appear: {found}"
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def computer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Computer]:
    """A computer below a folder that only its owner may enter, as /root is, with the sample slide on it."""
    private = tmp_path_factory.mktemp("computer")
    private.chmod(0o700)
    home, folder = private / "home", private / "work"
    for slides in (home / "demo" / "slides", folder / "slides"):
        slides.mkdir(parents=True)
        shutil.copy(SHARED_SLIDES / SAMPLE, slides)
    home.chmod(0o700)
    # Other tests start platforms too; this one keeps its own port from one start to the next.
    home_at(home).remember_port(free_port())
    yield Computer(home, folder)
    shutil.rmtree(system_folder_of(home_at(home)), ignore_errors=True)
