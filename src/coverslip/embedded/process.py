"""A child process with a log file, in a session of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

LOG_ROTATION_BYTES = 32_000_000


class ManagedProcess:
    """One program that the platform runs.

    It lives in a session of its own, so that Ctrl-C in a terminal reaches only the supervisor, which then stops the
    parts in order. Its standard input is a pipe that nobody writes to: it ends when the supervisor is gone, however it
    went (see `parent_watch`).

    Parameters
    ----------
    name
        What people read in messages, for instance "service".
    argv
        Program and arguments.
    env
        The whole environment of the process.
    log
        File to which its output is appended; one above 32 MB is moved to `<name>.1` at a start.
    cwd
        Working directory.
    stop_signal
        Asks the process to end by itself.
    stop_seconds
        How long it may take for that before it is killed.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        env: Mapping[str, str],
        log: Path,
        cwd: Path,
        stop_signal: signal.Signals = signal.SIGTERM,
        stop_seconds: float = 15,
    ) -> None:
        self.name = name
        self.argv = list(argv)
        self.env = dict(env)
        self.log = log
        self.cwd = cwd
        self.stop_signal = stop_signal
        self.stop_seconds = stop_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def pid(self) -> int | None:
        """Process id while it was started and not stopped."""
        return self._process.pid if self._process else None

    @property
    def returncode(self) -> int | None:
        """Exit code once it ended, negative for a signal."""
        return self._process.poll() if self._process else None

    def alive(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the program; what may be left of a former one is killed first."""
        self.kill()
        with _open_log(self.log) as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                self.argv,
                env=self.env,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.cwd,
                start_new_session=True,
            )

    def wait(self, limit_s: float) -> int | None:
        """Its exit code, or None if it has not ended within `limit_s` seconds."""
        if self._process is None:
            return None
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(limit_s)
        return self._process.returncode

    def stop(self) -> None:
        """Ask it to end, wait, and kill it and its process group if that takes too long."""
        if self.alive():
            self.ask_to_end(self.stop_signal)
            self.wait(self.stop_seconds)
        self.kill()

    def ask_to_end(self, with_signal: signal.Signals) -> None:
        """Send the signal; where there are none, end its standard input instead."""
        if self._process is None:
            return
        if sys.platform == "win32":
            if self._process.stdin:
                self._process.stdin.close()
        else:
            self._process.send_signal(with_signal)

    def kill(self) -> None:
        """End it and every process of its group at once."""
        process, self._process = self._process, None
        if process is None:
            return
        if sys.platform == "win32":
            process.kill()
        else:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdin:
            process.stdin.close()

    def output(self) -> str:
        """What it has written since the last start."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def last_lines(self, count: int = 8) -> str:
        """The last lines of that output, or a word that there are none."""
        return "\n".join(self.output().splitlines()[-count:]) or "(nothing)"


def _open_log(path: Path) -> BinaryIO:
    if path.exists() and path.stat().st_size > LOG_ROTATION_BYTES:
        path.replace(path.with_name(f"{path.name}.1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    log = os.fdopen(descriptor, "ab")
    log.seek(0, os.SEEK_END)
    return log
