"""How far many files are together: counted, summed, and how long the rest may take."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from coverslip.workflow.events import (
    Event,
    FilesPlanned,
    SlideRead,
    SlideUnreadable,
    TransferAdvanced,
    TransferDone,
    TransferFailed,
)

RATE_WINDOW_S = 15.0
"""The rate is that of the last seconds: what it was an hour ago says nothing about the rest."""

SAMPLE_EVERY_S = 0.25

MAX_CHUNK_BYTES = 1024 * 1024
"""No report of a transfer tells of more new bytes. A first one that does goes on with what had been cut."""


def plan_of(paths: Sequence[Path]) -> FilesPlanned:
    """All these files are to be read or sent. What cannot even be looked at counts without a size."""
    return FilesPlanned(len(paths), sum(path.stat().st_size for path in paths if path.exists()))


class Totals:
    """Adds up the events about files.

    Parameters
    ----------
    now_s
        A clock in seconds that never goes back.

    Attributes
    ----------
    files, ended_files
        How many files there are as far as is known, and how many of them are done with, failed ones included.
    done_bytes
        What has been read, sent or received of them, what was there before included.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self.files = 0
        self.ended_files = 0
        self.done_bytes = 0
        self._planned_bytes: int | None = None
        self._awaited = 0
        self._done: dict[str, int] = {}
        self._sizes: dict[str, int] = {}
        self._moved_bytes = 0
        self._samples: deque[tuple[float, int]] = deque()

    def add(self, event: Event) -> bool:
        """Take an event into account; whether it ended a file."""
        match event:
            case FilesPlanned(count, total_bytes, awaited):
                self.files, self._planned_bytes, self._awaited = count, total_bytes, awaited
                self._sample()
            case SlideRead(path, done, total):
                self._advance(str(path), done, total, first_bytes=done)
                return self._end(done >= total)
            case TransferAdvanced(name, done, total):
                self._advance(name, done, total, first_bytes=min(done, MAX_CHUNK_BYTES))
            case TransferDone(name, _, size_bytes):
                self._advance(name, size_bytes, size_bytes, first_bytes=0)
                return self._end()
            case TransferFailed() | SlideUnreadable():
                return self._end()
        return False

    @property
    def total_bytes(self) -> int | None:
        """The size of all files, where only some are known taken from these; None while nothing can be said."""
        if self._planned_bytes is not None:
            return self._planned_bytes
        if self._awaited or not self._sizes:
            return None
        return round(sum(self._sizes.values()) * max(self.files / len(self._sizes), 1))

    @property
    def bytes_per_s(self) -> float:
        """How much moved a second of late; 0 while that is not known."""
        if not self._samples:
            return 0.0
        began_s, before_bytes = self._samples[0]
        return (self._moved_bytes - before_bytes) / max(self._now_s() - began_s, SAMPLE_EVERY_S)

    @property
    def left_s(self) -> float | None:
        """How long the rest takes if all goes on as of late; None if nothing can be said."""
        if self.total_bytes is None or self.bytes_per_s <= 0:
            return None
        return max(self.total_bytes - self.done_bytes, 0) / self.bytes_per_s

    def _advance(self, name: str, done: int, total: int, *, first_bytes: int) -> None:
        """`first_bytes` of a first report are new; of a later one, what is more than before."""
        before = self._done.get(name)
        self._moved_bytes += first_bytes if before is None else max(done - before, 0)
        self.done_bytes += done - (before or 0)
        self._done[name], self._sizes[name] = done, total
        self._sample()

    def _end(self, ended: bool = True) -> bool:
        self.ended_files += ended
        return ended

    def _sample(self) -> None:
        now_s = self._now_s()
        if not self._samples or now_s - self._samples[-1][0] >= SAMPLE_EVERY_S:
            self._samples.append((now_s, self._moved_bytes))
        while len(self._samples) > 1 and self._samples[1][0] <= now_s - RATE_WINDOW_S:
            self._samples.popleft()
