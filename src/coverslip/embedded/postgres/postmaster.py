"""What PostgreSQL says about itself in postmaster.pid, and what is left of one that was killed."""

import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

FAST_SHUTDOWN_S = 20
IMMEDIATE_SHUTDOWN_S = 10
_POLL_S = 0.05


@dataclass(frozen=True)
class PostmasterFile:
    """The lines of postmaster.pid that matter here (PostgreSQL source, `miscadmin.h`, LOCK_FILE_LINE_...)."""

    pid: int
    port: int
    status: str

    @property
    def accepts_connections(self) -> bool:
        """Whether start and crash recovery are over."""
        return self.status == "ready"


def read_postmaster_file(data: Path) -> PostmasterFile | None:
    """What the file says, or None if there is none or it is still being written."""
    try:
        lines = _path(data).read_text().splitlines()
        return PostmasterFile(int(lines[0]), int(lines[3]), lines[7].strip() if len(lines) > 7 else "")
    except (OSError, ValueError, IndexError):
        return None


def end_orphans(data: Path) -> None:
    """Stop every PostgreSQL process on `data`, then remove its postmaster.pid.

    A killed supervisor may leave a postmaster, a killed postmaster its backends. Call it only while holding the home's
    lock. Without this a process id given to a stranger meanwhile would keep PostgreSQL from starting for good.
    """
    # Fast shutdown for a postmaster (a backend cancels its statement and sees that its postmaster is gone), immediate
    # shutdown, and the end of all patience.
    for signal_name, seconds in (("SIGINT", FAST_SHUTDOWN_S), ("SIGQUIT", IMMEDIATE_SHUTDOWN_S), ("SIGKILL", 5)):
        for orphan in _processes_on(data):
            with suppress(psutil.NoSuchProcess):
                orphan.send_signal(getattr(signal, signal_name, signal.SIGTERM))
        deadline_s = time.monotonic() + seconds
        while _processes_on(data) and time.monotonic() < deadline_s:
            time.sleep(_POLL_S)
    _path(data).unlink(missing_ok=True)


def _path(data: Path) -> Path:
    return data / "postmaster.pid"


def _processes_on(data: Path) -> list[psutil.Process]:
    """Every living PostgreSQL process on `data`: each has it as its working directory."""
    data = data.resolve()
    found = []
    for process in psutil.process_iter(["name"]):
        if not (process.info["name"] or "").startswith("postgres"):
            continue
        try:
            if Path(process.cwd()) == data:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found
