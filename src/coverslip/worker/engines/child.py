"""The process an application runs in: ``python -m coverslip.worker.engines.child``, started by an engine.

The job comes as the first line of standard input; messages go out as lines on what was standard output. Whatever the
application prints goes to standard error, which is its log. When standard input ends, the worker is gone, and this
process ends too.
"""

import os
import sys
import threading
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
        self._channel.send(ArtifactWritten(name=name, path=path.resolve(), metadata=dict(metadata)))


def main() -> None:
    """Run one job."""
    messages = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    channel = _Channel(messages)
    job = Job.model_validate_json(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_worker, name="worker-watch", daemon=True).start()
    inputs = {name: InputFile(given.path, given.metadata) for name, given in job.inputs.items()}
    item = Item(item_id=job.item_id, external_id=job.external_id, inputs=inputs)

    def progress(stage: str, fraction: float) -> None:
        channel.send(ProgressMade(stage=stage, fraction=min(max(fraction, 0), 1)))

    try:
        process = load_process(job.application_id, job.version_number)
        process(item, _Outputs(job.outputs_directory, channel), progress)
    except UserError as error:
        channel.send(InputBlamed(code=error.code, message=str(error)))
    except Exception as error:
        traceback.print_exc()
        channel.send(Raised(reason=f"{type(error).__name__}: {error}"[:1000]))
    else:
        channel.send(Completed())


def _end_with_worker() -> None:
    while os.read(0, 4096):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
