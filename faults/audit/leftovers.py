"""Folders, objects and processes that nobody needs any more."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

import psutil

from coverslip.embedded.postgres.place import data_folder_of
from coverslip.service.storage.store import Area
from faults import queries
from faults.finding import Finding, Kind
from faults.stage import Stage

_SETTLED_S = 90.0
_LOOK_S = 0.5


def await_tidiness(stage: Stage, run_ids: Sequence[UUID]) -> list[Finding]:
    """What is left over once the platform had time to clear away what lost attempts left, and what is missing."""
    give_up_at = time.monotonic() + _SETTLED_S
    while True:
        queries.let_late_uploads_be_over(stage.database_url, run_ids)
        time.sleep(_LOOK_S)
        rows = queries.read_rows(stage.database_url, run_ids)
        findings = [*_of_store(stage.home.store, rows.available), *_of_scratch(stage), *_of_processes(stage)]
        if not findings or time.monotonic() > give_up_at:
            return findings


def _of_store(store: Path, available: frozenset[str]) -> Iterator[Finding]:
    for name in ("incoming", Area.PARTS):
        yield from (Finding(Kind.LEFTOVERS, str(path)) for path in (store / name).rglob("*") if path.is_file())
    results = store / Area.RESULTS
    stored = {path.relative_to(results).as_posix() for path in results.rglob("*") if path.is_file()}
    yield from (Finding(Kind.LEFTOVERS, f"no artifact owns {results / path}") for path in stored - available)
    yield from (Finding(Kind.LOST, f"an artifact lacks {results / path}") for path in available - stored)


def _of_scratch(stage: Stage) -> Iterator[Finding]:
    for folder in stage.scratch_folders:
        yield from (Finding(Kind.LEFTOVERS, str(path)) for path in folder.iterdir())


def _of_processes(stage: Stage) -> Iterator[Finding]:
    """Applications that still run, and whatever works in a folder of the stage and is nobody's child any more."""
    ours = {process.pid for process in stage.processes()}
    places = tuple(str(place) for place in (stage.folder, data_folder_of(stage.home)))
    for process in psutil.process_iter(["cmdline", "cwd"]):
        command = " ".join(process.info["cmdline"] or [])
        is_lost = process.pid not in ours and (process.info["cwd"] or "").startswith(places)
        if is_lost or (process.pid in ours and "keeper.py" in command):
            yield Finding(Kind.LEFTOVERS, f"process {process.pid}: {command}")
