"""An application in a process of its own on this machine, with limits on memory and time and without secrets.

Memory is the resident memory of the whole process group, watched from outside: an address space limit would break
memory-mapped files and inference libraries.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import psutil

from coverslip.worker.engines.messages import Job, Message, message_adapter
from coverslip.worker.errors import (
    ApplicationCrashed,
    ApplicationOutOfMemory,
    ApplicationTimeout,
    PlatformFault,
)

_WATCH_S = 0.2
_LOG_BYTES = 48 * 1024
_LINE_BYTES = 16 * 1024 * 1024
_MIB = 1024 * 1024

# Of the worker's environment the application sees only what finds programs and names a language.
_INHERITED = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "LD_LIBRARY_PATH")


@dataclass(frozen=True)
class Limits:
    """What one item may use."""

    memory_mb: int
    time_s: float


class LocalProcess:
    """One application at work on one item.

    Parameters
    ----------
    job
        What to do.
    limits
        What it may use.
    directory
        Working directory, home and temporary folder of the process.
    """

    def __init__(self, job: Job, limits: Limits, directory: Path) -> None:
        self._job = job
        self._limits = limits
        self._directory = directory
        self._log = bytearray()
        self._fault: PlatformFault | None = None
        self.stage = "starting"
        self.peak_memory_mb = 0

    @property
    def log(self) -> str:
        """The end of what the application printed."""
        return self._log.decode(errors="replace").replace("\x00", "")

    async def run(self) -> AsyncGenerator[Message]:
        """Start the process, and yield its messages until it ends. Closing the iterator kills it.

        Raises
        ------
        ApplicationOutOfMemory, ApplicationTimeout, ApplicationCrashed
            If it did not end by itself.
        """
        environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        environment |= {name: str(self._directory) for name in ("HOME", "TMPDIR", "TEMP", "TMP")}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "coverslip.worker.engines.child",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self._directory,
            env=environment,
            start_new_session=True,
            limit=_LINE_BYTES,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        watchers = [
            asyncio.create_task(self._watch(process.pid)),
            asyncio.create_task(self._collect_log(process.stderr)),
        ]
        try:
            with contextlib.suppress(ConnectionError):  # it may have died already; its exit code says so
                process.stdin.write(self._job.model_dump_json().encode() + b"\n")
                await process.stdin.drain()
            async for line in process.stdout:
                message = message_adapter.validate_json(line)
                if message.kind == "progress":
                    self.stage = message.stage
                yield message
            code = await process.wait()
            await watchers[1]
        finally:
            # The application's own children too: nothing may outlive the item.
            _kill_group(process.pid)
            await process.wait()
            for watcher in watchers:
                watcher.cancel()
            await asyncio.gather(*watchers, return_exceptions=True)
        if self._fault is not None:
            raise self._fault
        if code != 0:
            name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            raise ApplicationCrashed(signal=name, stage=self.stage)

    async def _watch(self, pid: int) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        while True:
            used_mb = await asyncio.to_thread(_resident_mb, pid)
            self.peak_memory_mb = max(self.peak_memory_mb, used_mb)
            if used_mb > self._limits.memory_mb:
                limit_mb = self._limits.memory_mb
                self._fault = ApplicationOutOfMemory(used_mb=used_mb, limit_mb=limit_mb, stage=self.stage)
            elif loop.time() - started > self._limits.time_s:
                self._fault = ApplicationTimeout(limit_s=self._limits.time_s, stage=self.stage)
            if self._fault is not None:
                _kill_group(pid)
                return
            await asyncio.sleep(_WATCH_S)

    async def _collect_log(self, stream: asyncio.StreamReader) -> None:
        while chunk := await stream.read(65536):
            self._log += chunk
            del self._log[:-_LOG_BYTES]


def _resident_mb(pid: int) -> int:
    """Resident memory of a process and its descendants, in MiB."""
    total = 0
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            total += member.memory_info().rss
    return total // _MIB


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            psutil.Process(pid).kill()
        else:
            os.killpg(pid, signal.SIGKILL)
