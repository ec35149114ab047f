"""Watch a child process open slides that mean harm; see `abused_child`."""

import selectors
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

CHILD = Path(__file__).with_name("abused_child.py")
MOST_SECONDS = 60
"""For one slide. They take milliseconds; the machine may be busy."""
NATIVE = ("openslide", "imagecodecs")
"""Whose faults are not ours: they are reported, and tests go on."""


@dataclass(frozen=True)
class Outcome:
    """``fine``, the name of a `SlideError`, or ``crash in …``; and the memory that the process took for it in MiB."""

    kind: str
    grown_mib: int


class AbusedChild:
    """A process that opens slides; a new one takes its place when it dies."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None
        self.start_mib = 0

    def open(self, path: Path) -> Outcome:
        """Have a slide used.

        Raises
        ------
        AssertionError
            If that takes too long, or ends the process other than by a fault in native code that is not ours.
        """
        if self.process is None:
            self._start()
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write(f"{path}\n")
        self.process.stdin.flush()
        kind, peak_mib = self._answer()
        if kind.startswith("crash"):
            return Outcome(kind, 0)
        return Outcome(kind, peak_mib - self.start_mib)

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def _start(self) -> None:
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  it lives as long as the process
        self.process = subprocess.Popen(
            [sys.executable, CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True
        )
        kind, self.start_mib = self._answer()
        assert kind == "ready"

    def _answer(self) -> tuple[str, int]:
        assert self.process is not None
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as ready:
            ready.register(self.process.stdout, selectors.EVENT_READ)
            if not ready.select(MOST_SECONDS):
                self.close()
                raise AssertionError(f"not opened within {MOST_SECONDS} s")
        line = self.process.stdout.readline()
        if line:
            kind, peak_mib = line.split()
            return kind, int(peak_mib)
        self.process.wait()
        self.process = None
        self.errors.seek(0)
        told = self.errors.read()
        frames = [text for text in told.splitlines() if text.strip().startswith("File ")]
        assert "Fatal Python error" in told, told
        assert frames, told
        assert any(name in frames[0] for name in NATIVE), told
        return f"crash in {frames[0].strip()}", 0
