"""The process an application runs in.

The job comes as the first line of standard input; messages go out as lines on what was standard output. Whatever the
application prints goes to standard error, which is its log.
"""

import contextlib
import faulthandler
import io
import math
import os
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from coverslip.applications.errors import UserError
from coverslip.applications.protocol import InputFile, Item
from coverslip.applications.registry import load_process
from coverslip.worker.engines.messages import (
    ArtifactWritten,
    Completed,
    InputBlamed,
    Job,
    Message,
    ProgressMade,
    Raised,
)

_PROGRESS_EVERY_S = 0.1


class _Channel:
    """Sends messages to the worker; the application may do so from several threads."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def send(self, message: Message) -> None:
        with self._lock:
            self._stream.write(message.model_dump_json() + "\n")
            self._stream.flush()


class _Outputs:
    """The ``Outputs`` of the application protocol."""

    def __init__(self, directory: Path, channel: _Channel) -> None:
        self._directory = directory
        self._channel = channel

    @property
    def directory(self) -> Path:
        return self._directory

    def write(self, name: str, path: Path, metadata: Mapping[str, Any]) -> None:
        self._channel.send(ArtifactWritten(name=name, path=path.absolute(), metadata=dict(metadata)))


class _Progress:
    """The ``Progress`` of the application protocol. Of what comes faster than anybody can look, some is left out."""

    def __init__(self, channel: _Channel) -> None:
        self._channel = channel
        self._stage: str | None = None
        self._sent_at = 0.0

    def __call__(self, stage: str, fraction: float) -> None:
        now = time.monotonic()
        if stage != self._stage or now - self._sent_at >= _PROGRESS_EVERY_S:
            self._stage, self._sent_at = stage, now
            known = 0.0 if math.isnan(fraction) else float(min(max(fraction, 0), 1))
            self._channel.send(ProgressMade(stage=stage, fraction=known))


def process_job() -> None:
    """Run one job and end the process."""
    job = Job.model_validate_json(sys.stdin.buffer.readline())
    if sys.platform == "win32":
        threading.Thread(target=_end_with_worker, name="worker-watch", daemon=True).start()
    else:
        _give_up_standard_input()
    channel = _Channel(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)
    for stream in (sys.stdout, sys.stderr):
        assert isinstance(stream, io.TextIOWrapper)
        stream.reconfigure(line_buffering=True, errors="backslashreplace")
    faulthandler.enable()
    inputs = {name: InputFile(given.path, given.metadata) for name, given in job.inputs.items()}
    item = Item(item_id=job.item_id, external_id=job.external_id, inputs=inputs)
    last: Message
    try:
        process = load_process(job.application_id, job.version_number)
        process(item, _Outputs(job.outputs_directory, channel), _Progress(channel))
    except UserError as error:
        last = InputBlamed(code=error.code, message=str(error))
    except Exception as error:
        traceback.print_exc()
        last = Raised(reason=f"{type(error).__name__}: {error}"[:1000])
    else:
        last = Completed()
    with contextlib.suppress(Exception):  # the application may have put anything in their place
        sys.stdout.flush()
        sys.stderr.flush()
    channel.send(last)
    os._exit(0)  # threads that the application left running are not waited for


def _give_up_standard_input() -> None:
    """Leave it to the keeper, which waits for its end."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)


def _end_with_worker() -> None:
    while os.read(0, 4096):
        pass
    os._exit(1)
