"""Progress of long commands on stderr: live bars in a terminal, else one plain line for each change."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import TYPE_CHECKING

from coverslip.cli.output import note, visible
from coverslip.workflow.events import (
    Event,
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

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from coverslip.contract.items import ItemResultReadResponse

MAX_NAME_CHARS = 48


@contextmanager
def display() -> Iterator[OnEvent]:
    """A callback that shows events while the block lasts."""
    if not sys.stderr.isatty():
        yield _print_line
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    text = TextColumn("{task.description}", markup=False)
    with Progress(text, BarColumn(), TaskProgressColumn(), console=Console(stderr=True), transient=True) as bars:
        yield _Bars(bars).show


def _print_line(event: Event) -> None:
    line = _line(event)
    if line:
        note(line)


def _line(event: Event) -> str | None:
    """What is worth a line that stays."""
    match event:
        case SlideUnreadable(path, reason):
            return f"{path}: {reason}"
        case ItemChanged(item) if item.state != "PENDING":
            return f"{_short(item.external_id)}: {_state(item)}"
        case TransferFailed(name, reason):
            return f"{name}: {reason}"
        case ServerAway(reason):
            return f"The platform does not answer ({reason}). Asking again; the run is safe there."
        case ServerBack():
            return "The platform answers again."
    return None


class _Bars:
    """A bar for the run, and one for each slide or file that is moving now."""

    def __init__(self, progress: "Progress") -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def show(self, event: Event) -> None:
        match event:
            case SlideRead(path, done, total):
                self._advance(str(path), f"reading {_short(path)}", done, total)
                if done >= total:
                    self._remove(str(path))
            case TransferAdvanced(name, done, total):
                self._advance(name, _short(name), done, total)
            case TransferDone(name, _) | TransferFailed(name, _):
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

    def _advance(self, key: str, description: str, done: float, total: float) -> None:
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = self._progress.add_task(visible(description), total=total)
        self._progress.update(task, description=visible(description), completed=done, total=total)

    def _remove(self, key: str) -> None:
        if (task := self._tasks.pop(key, None)) is not None:
            self._progress.remove_task(task)


def _state(item: "ItemResultReadResponse") -> str:
    """``processing``, ``succeeded``, or the error."""
    if item.termination_reason is None:
        return item.state.lower()
    if item.error_message:
        return f"{item.termination_reason.lower()}, {item.error_code or 'no code'}: {item.error_message}"
    return item.termination_reason.lower()


def _short(name: object) -> str:
    """The last part of a path, cut in the middle if it is very long."""
    last = PurePath(str(name)).name or str(name)
    if len(last) <= MAX_NAME_CHARS:
        return last
    half = (MAX_NAME_CHARS - 1) // 2
    return f"{last[:half]}…{last[-half:]}"
