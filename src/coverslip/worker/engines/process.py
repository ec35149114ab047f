"""An application in a process of its own on this machine, with limits on memory and time and without secrets.

Both are watched from outside: a limit on the address space would break memory-mapped files and inference libraries.
Where the worker may make control groups, the kernel limits memory too: it can grow faster than anybody looks.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import psutil
from pydantic import ValidationError

from coverslip.contract.worker import MAX_ATTEMPT_LOG_BYTES
from coverslip.worker.engines import keeper
from coverslip.worker.engines.control_group import ControlGroup, memory_limited
from coverslip.worker.engines.memory import used_memory_mb
from coverslip.worker.engines.messages import Job, Message, message_adapter
from coverslip.worker.errors import (
    ApplicationCrashed,
    ApplicationFailed,
    ApplicationOutOfMemory,
    ApplicationTimeout,
    PlatformFault,
)

_WATCH_S = 0.2
_SHOW_LIFE_S = 1.0
_LINE_BYTES = 16 * 1024 * 1024
_STOP_S = 2.0

# Of the worker's environment the application sees only what finds programs and devices, and names language and zone.
_INHERITED = ("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """What one item may use; of graphics processors, if they are not named, what its worker may."""

    memory_mb: int
    time_s: float
    gpus: tuple[str, ...] | None = None


class ApplicationProcess:
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
        ApplicationOutOfMemory, ApplicationTimeout, ApplicationCrashed, ApplicationFailed
            If it did not end by itself, or says what no application says.
        """
        with memory_limited(self._limits.memory_mb) as group:
            async with contextlib.aclosing(self._run(group)) as messages:
                async for message in messages:
                    yield message

    async def _run(self, group: ControlGroup | None) -> AsyncGenerator[Message]:
        process = await self._start(group)
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        watch = asyncio.create_task(self._watch(process))
        collect = asyncio.create_task(self._collect_log(process.stderr))
        live = asyncio.create_task(self._show_life())
        try:
            with contextlib.suppress(ConnectionError):  # it may have died already; its exit code says so
                process.stdin.write(self._job.model_dump_json().encode() + b"\n")
                await process.stdin.drain()
            while (message := await _next_message(process.stdout)) is not None:
                if message.kind == "progress":
                    self.stage = message.stage
                yield message
            code = await process.wait()
        finally:
            await _stop(process)
            await asyncio.wait({collect}, timeout=_STOP_S)
            for task in (watch, collect, live):
                task.cancel()
            await asyncio.gather(watch, collect, live, return_exceptions=True)
        if group is not None and group.was_out_of_memory():
            limit_mb = self._limits.memory_mb
            raise ApplicationOutOfMemory(used_mb=limit_mb, limit_mb=limit_mb, stage=self.stage)
        if self._fault is not None:
            raise self._fault
        if code != 0:
            raise ApplicationCrashed(signal=_name_of_end(code), stage=self.stage)

    async def _start(self, group: ControlGroup | None) -> asyncio.subprocess.Process:
        environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        environment |= {name: str(self._directory) for name in ("HOME", "TMPDIR", "TEMP", "TMP")}
        environment |= self._job.environment
        if self._limits.gpus is not None:
            environment["CUDA_VISIBLE_DEVICES"] = ",".join(self._limits.gpus)
        import_path = [path for path in sys.path if os.path.isabs(path)]  # noqa: PTH117 - one of them may be a zip
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",  # the working directory holds what users sent: nothing is imported from there
            keeper.__file__,
            json.dumps(import_path),
            str(group.entrance) if group is not None else "",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self._directory,
            env=environment,
            start_new_session=True,
            limit=_LINE_BYTES,
        )

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        loop = asyncio.get_running_loop()
        limits = self._limits
        ends_at = loop.time() + limits.time_s
        while self._fault is None:
            used_mb = await asyncio.to_thread(used_memory_mb, process.pid, limits.memory_mb)
            self.peak_memory_mb = max(self.peak_memory_mb, used_mb)
            if used_mb > limits.memory_mb:
                self._fault = ApplicationOutOfMemory(used_mb=used_mb, limit_mb=limits.memory_mb, stage=self.stage)
            elif loop.time() > ends_at:
                self._fault = ApplicationTimeout(limit_s=limits.time_s, stage=self.stage)
            else:
                await asyncio.sleep(_WATCH_S)
        await _stop(process)

    async def _show_life(self) -> None:
        """Tell the keeper that this event loop does not hang."""
        sign = self._directory / keeper.SIGN_OF_LIFE
        while True:
            with contextlib.suppress(OSError):
                sign.touch()
            await asyncio.sleep(_SHOW_LIFE_S)

    async def _collect_log(self, stream: asyncio.StreamReader) -> None:
        while chunk := await stream.read(65536):
            self._log += chunk
            del self._log[:-MAX_ATTEMPT_LOG_BYTES]


async def _next_message(stream: asyncio.StreamReader) -> Message | None:
    """What the application says next, None at the end."""
    try:
        line = await stream.readline()
        return message_adapter.validate_json(line) if line.endswith(b"\n") else None  # cut short: it was killed
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]["msg"]
        raise ApplicationFailed(reason=f"it sent a message that cannot be read ({fault})") from None
    except ValueError:
        raise ApplicationFailed(reason=f"it sent a message longer than {_LINE_BYTES} bytes") from None


async def _stop(process: asyncio.subprocess.Process) -> None:
    """End the process and all that it started."""
    assert process.stdin is not None
    if not process.stdin.is_closing():  # a pipe that a dying keeper has let go of cannot be aborted any more
        process.stdin.transport.abort()  # tells the keeper
    if process.returncode is not None:
        return
    for _ in range(2):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _STOP_S)
            return
        _kill_all(process.pid)
    log.error("process %d of an application cannot be killed", process.pid)


def _kill_all(pid: int) -> None:
    """Kill a process and all that it started, when its keeper does not do so: that may have been stopped."""
    with contextlib.suppress(psutil.Error):
        root = psutil.Process(pid)
        for member in [*root.children(recursive=True), root]:
            with contextlib.suppress(psutil.Error):
                member.kill()


def _name_of_end(code: int) -> str:
    try:
        return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
