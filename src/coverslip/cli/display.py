"""Progress of long commands on stderr: live bars in a terminal, else one plain line for each change."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import PurePath
from typing import TYPE_CHECKING

from coverslip.cli.output import note, visible
from coverslip.workflow.events import (
    Event,
    FilesPlanned,
    ItemAdvanced,
    ItemChanged,
    OnEvent,
    RunChanged,
    ServerAway,
    ServerBack,
    SlideRead,
    SlideUnreadable,
    TransferAdvanced,
    TransferDone,
    TransferFailed,
)
from coverslip.workflow.totals import Totals

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from coverslip.contract.items import ItemResultReadResponse

MAX_NAME_CHARS = 48
FILE_EVENTS = (FilesPlanned, SlideRead, SlideUnreadable, TransferAdvanced, TransferDone, TransferFailed)


@contextmanager
def display() -> Iterator[OnEvent]:
    """A callback that shows events while the block lasts."""
    if not sys.stderr.isatty():
        yield _Lines().show
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    text = TextColumn("{task.description}", markup=False)
    with Progress(text, BarColumn(), TaskProgressColumn(), console=Console(stderr=True), transient=True) as bars:
        yield _Bars(bars).show


class _Lines:
    """A line for each file that is done with, numbered, and for each change of a slide."""

    def __init__(self) -> None:
        self._totals = Totals()

    def show(self, event: Event) -> None:
        ended = self._totals.add(event)
        if line := _line(event) or _line_of_file(event):
            note(f"{self._totals.ended_files}/{self._totals.files} {line}" if ended else line)


def _line_of_file(event: Event) -> str | None:
    """What a log says of a file, and a terminal by its bars."""
    match event:
        case SlideRead(path, done, total) if done >= total:
            return f"{_shown(path)}: read"
        case TransferDone(name, was_there):
            return f"{_shown(name)}: {'was there already' if was_there else 'done'}"
    return None


def _line(event: Event) -> str | None:
    """What is worth a line that stays."""
    match event:
        case SlideUnreadable(path, reason):
            return f"{path}: {reason}"
        case ItemChanged(item) if item.state != "PENDING":
            return f"{_shown(item.external_id)}: {_state(item)}"
        case TransferFailed(name, reason):
            return f"{name}: {reason}"
        case ServerAway(reason):
            return f"The platform does not answer ({reason}). Asking again; the run is safe there."
        case ServerBack():
            return "The platform answers again."
    return None


class _Bars:
    """A bar for the run and one for all files together, then one for each slide or file that is moving now."""

    def __init__(self, progress: "Progress") -> None:
        self._progress = progress
        self._totals = Totals()
        self._tasks: dict[str, TaskID] = {
            name: progress.add_task("", total=None, visible=False) for name in ("run", "files")
        }

    def show(self, event: Event) -> None:
        self._totals.add(event)
        if self._totals.files and isinstance(event, FILE_EVENTS):
            self._show_totals()
        match event:
            case SlideRead(path, done, total):
                self._advance(str(path), f"reading {_short(path)}", done, total)
                if done >= total:
                    self._remove(str(path))
            case TransferAdvanced(name, done, total):
                self._advance(name, _short(name), done, total)
            case TransferDone(name) | TransferFailed(name):
                self._remove(name)
            case ItemAdvanced(progress):
                key = f"item {progress.external_id}"
                self._advance(key, f"{_short(progress.external_id)}: {progress.stage}", progress.fraction, 1)
            case ItemChanged(item) if item.state == "TERMINATED":
                self._remove(f"item {item.external_id}")
            case RunChanged(run):
                counts = run.statistics
                ended = counts.item_count - counts.item_pending_count - counts.item_processing_count
                self._advance("run", f"{ended} of {counts.item_count} slides done", ended, counts.item_count)
        if line := _line(event):
            self._progress.console.print(visible(line), markup=False, highlight=False, soft_wrap=True)

    def _show_totals(self) -> None:
        totals = self._totals
        done, total = totals.done_bytes, totals.total_bytes
        if total is None:  # nobody knows the sizes of files that do not exist yet
            done, total = totals.ended_files, totals.files
        self._advance("files", describe_totals(totals), done, total)

    def _advance(self, key: str, description: str, done: float, total: float) -> None:
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = self._progress.add_task(visible(description), total=total)
        self._progress.update(task, description=visible(description), completed=done, total=total, visible=True)

    def _remove(self, key: str) -> None:
        if (task := self._tasks.pop(key, None)) is not None:
            self._progress.remove_task(task)


def describe_totals(totals: Totals) -> str:
    """``3 of 12 files, 1.2 GB of 4.8 GB, 24.0 MB/s, 2:30 left``; what is not known is left out."""
    from rich.filesize import decimal

    parts = [f"{totals.ended_files} of {totals.files} files"]
    total = f" of {decimal(totals.total_bytes)}" if totals.total_bytes is not None else ""
    parts.append(f"{decimal(totals.done_bytes)}{total}")
    if totals.left_s:
        parts.append(f"{decimal(round(totals.bytes_per_s))}/s, {timedelta(seconds=round(totals.left_s))} left")
    return ", ".join(parts)


def _state(item: "ItemResultReadResponse") -> str:
    """``processing``, ``succeeded``, or the error."""
    if item.termination_reason is None:
        return item.state.lower()
    if item.error_message:
        return f"{item.termination_reason.lower()}, {item.error_code or 'no code'}: {item.error_message}"
    return item.termination_reason.lower()


def _shown(name: object) -> str:
    """The last part of an absolute path; anything else, such as ``slide/result``, as it is."""
    path = PurePath(str(name))
    return path.name if path.is_absolute() else str(name)


def _short(name: object) -> str:
    """The same, cut in the middle if it is too long for a bar's line."""
    shown = _shown(name)
    if len(shown) <= MAX_NAME_CHARS:
        return shown
    half = (MAX_NAME_CHARS - 1) // 2
    return f"{shown[:half]}…{shown[-half:]}"
