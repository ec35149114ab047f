"""An application for the fault suite: its artifacts are known beforehand, and it fails when it is told to."""

import hashlib
import os
import signal
import time
from importlib.resources import files
from pathlib import Path

from coverslip.applications.errors import UserError
from coverslip.applications.protocol import Item, Outputs, Progress

MANIFEST = files(__name__) / "manifest.json"
ARTIFACT_BYTES = {"map": 40_000, "table": 400}
_SECONDS_EACH = 0.05


def process(item: Item, outputs: Outputs, progress: Progress) -> None:
    """Write both artifacts, unless the metadata of the slide names another of the behaviours in `faults.plan`."""
    slide = item.inputs["slide"]
    digest = hashlib.sha256(slide.path.read_bytes()).hexdigest()
    for number, name in enumerate(ARTIFACT_BYTES):
        progress(name, number / len(ARTIFACT_BYTES))
        time.sleep(_SECONDS_EACH)
        path = outputs.directory / name
        path.write_bytes(content(name, slide.metadata["sample"], digest))
        outputs.write(name, path, {"slide": digest})
        if number == 0:
            _misbehave(slide.metadata["behaviour"], Path(slide.metadata["mark"]))


def content(name: str, sample: str, slide_digest: str) -> bytes:
    """The bytes of an artifact; the metadata of the slide name the ``sample``, and this is its SHA-256."""
    return hashlib.shake_256(f"{name} of {sample} {slide_digest}".encode()).digest(ARTIFACT_BYTES[name])


def _misbehave(behaviour: str, mark: Path) -> None:
    """``mark`` is a file that does not exist before the first attempt."""
    if behaviour == "blame":
        raise UserError("PROBE.BLAMED", "This slide was made to be refused; submit another one.")
    if behaviour == "crash" or (behaviour == "crash once" and not mark.exists()):
        mark.touch()
        os.kill(os.getpid(), signal.SIGSEGV)
    if behaviour == "hang":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            time.sleep(3600)
