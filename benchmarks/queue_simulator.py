"""Simulates the queue of a platform with the product's own rules, or with a simpler order to compare with.

Time is simulated: the result depends on nothing but the submissions.
"""

import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol
from uuid import UUID

from coverslip.service.scheduling.order_rules import (
    NEVER_SERVED,
    charged,
    level_on_arrival,
    organization_key,
    run_key,
    start_level,
)
from coverslip.service.scheduling.rules import due_by

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def _instant(seconds: float) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


class Submission(NamedTuple):
    """A run that is submitted ``at_s``, and how long each of its items will take."""

    at_s: float
    organization_id: str
    durations_s: Sequence[float]
    due_s: float | None = None


class Start(NamedTuple):
    """An item that got a slot."""

    submission: Submission
    started_s: float
    duration_s: float


class Waiting:
    """A run in a queue."""

    def __init__(self, number: int, submission: Submission) -> None:
        self.submission = submission
        self.run_id = UUID(int=number)
        self.submitted_at = _instant(submission.at_s)
        self.due_by = due_by(self.submitted_at, None if submission.due_s is None else _instant(submission.due_s))
        self.started = 0
        self.processing = 0

    @property
    def pending(self) -> int:
        return len(self.submission.durations_s) - self.started


class Queue(Protocol):
    """Decides which run's item is started next."""

    def submit(self, run: Waiting, now_s: float) -> None: ...

    def start(self, now_s: float) -> Waiting | None:
        """The run whose next item starts now; None if nothing waits."""

    def end(self, run: Waiting, *, started_s: float, took_s: float) -> None: ...


def simulate(submissions: Iterable[Submission], queue: Queue, *, slots: int) -> Iterator[Start]:
    """Every start in its order, as long as there are submissions (in order of time) or items.

    An endless stream of submissions gives an endless stream of starts.
    """
    coming = iter(submissions)
    following = next(coming, None)
    numbers = itertools.count()
    ends: list[tuple[float, int, Waiting, float]] = []
    while following is not None or ends:
        if following is not None and (not ends or following.at_s <= ends[0][0]):
            now_s = following.at_s
            queue.submit(Waiting(next(numbers), following), now_s)
            following = next(coming, None)
        else:
            now_s, _, run, started_s = heapq.heappop(ends)
            run.processing -= 1
            queue.end(run, started_s=started_s, took_s=now_s - started_s)
        if following is not None and following.at_s == now_s:
            continue  # what comes at the same time is there before anything starts
        while len(ends) < slots and (chosen := queue.start(now_s)) is not None:
            duration_s = chosen.submission.durations_s[chosen.started]
            chosen.started += 1
            chosen.processing += 1
            heapq.heappush(ends, (now_s + duration_s, next(numbers), chosen, now_s))
            yield Start(chosen.submission, now_s, duration_s)


@dataclass
class _Account:
    level: float = NEVER_SERVED
    last_start: float = NEVER_SERVED
    runs: list[Waiting] = field(default_factory=list)
    """Those that have items waiting."""


class FairQueue:
    """The order of the product; see `order_rules`.

    Parameters
    ----------
    weights
        Of organizations; 1 for those that are not named.
    charge_s
        What an item is charged when it starts.
    items_at_once
        Items of a run in processing before the organization's other runs go first.
    levels
        What organizations were served before.
    """

    def __init__(
        self,
        weights: Mapping[str, float] | None = None,
        *,
        charge_s: float = 60,
        items_at_once: int = 4,
        levels: Mapping[str, float] | None = None,
    ) -> None:
        self._weights = weights or {}
        self._charge_s = charge_s
        self._items_at_once = items_at_once
        self._accounts = {name: _Account(level, level) for name, level in (levels or {}).items()}
        # Heaps whose outdated entries are dropped when they come up.
        self._order: list[tuple[float, str]] = []
        self._last_starts = [(-account.last_start, name) for name, account in self._accounts.items()]
        heapq.heapify(self._last_starts)

    def submit(self, run: Waiting, now_s: float) -> None:
        name = run.submission.organization_id
        account = self._accounts.setdefault(name, _Account())
        if not account.runs:
            first = self._first()
            account.level = level_on_arrival(
                account.level,
                least_waiting=None if first is None else self._accounts[first].level,
                frontier=self._frontier(),
                at_s=now_s,
            )
        account.runs.append(run)
        heapq.heappush(self._order, organization_key(account.level, name))

    def start(self, now_s: float) -> Waiting | None:
        name = self._first()
        if name is None:
            return None
        account = self._accounts[name]
        chosen = min(account.runs, key=self._run_key)
        start = start_level(account.level, frontier=self._frontier(), at_s=now_s)
        account.level = charged(start, self._charge_s, weight=self._weights.get(name, 1), at_s=now_s)
        account.last_start = start
        heapq.heappush(self._last_starts, (-start, name))
        if chosen.pending == 1:
            account.runs.remove(chosen)
        if account.runs:
            heapq.heappush(self._order, organization_key(account.level, name))
        return chosen

    def end(self, run: Waiting, *, started_s: float, took_s: float) -> None:
        name = run.submission.organization_id
        account = self._accounts[name]
        weight = self._weights.get(name, 1)
        account.level = charged(account.level, took_s - self._charge_s, weight=weight, at_s=started_s)
        if account.level < account.last_start:
            account.last_start = account.level
            heapq.heappush(self._last_starts, (-account.last_start, name))
        if account.runs:
            heapq.heappush(self._order, organization_key(account.level, name))

    def _run_key(self, run: Waiting) -> object:
        return run_key(
            processing=run.processing,
            items_at_once=self._items_at_once,
            due_by=run.due_by,
            submitted_at=run.submitted_at,
            run_id=run.run_id,
        )

    def _first(self) -> str | None:
        """The organization whose turn it is."""
        while self._order:
            level, name = self._order[0]
            account = self._accounts[name]
            if account.runs and account.level == level:
                return name
            heapq.heappop(self._order)
        return None

    def _frontier(self) -> float:
        while self._last_starts:
            negative, name = self._last_starts[0]
            if self._accounts[name].last_start == -negative:
                return -negative
            heapq.heappop(self._last_starts)
        return NEVER_SERVED


class SortedQueue:
    """One line for all organizations: whoever has the smallest key is served to the end.

    Parameters
    ----------
    key
        Of a run.
    """

    def __init__(self, key: Callable[[Waiting], datetime]) -> None:
        self._key = key
        self._runs: list[tuple[datetime, UUID, Waiting]] = []

    def submit(self, run: Waiting, now_s: float) -> None:
        heapq.heappush(self._runs, (self._key(run), run.run_id, run))

    def start(self, now_s: float) -> Waiting | None:
        if not self._runs:
            return None
        chosen = self._runs[0][2]
        if chosen.pending == 1:
            heapq.heappop(self._runs)
        return chosen

    def end(self, run: Waiting, *, started_s: float, took_s: float) -> None:
        pass


def first_come() -> SortedQueue:
    """First come, first served."""
    return SortedQueue(lambda run: run.submitted_at)


def earliest_due() -> SortedQueue:
    """The run that is due first, whosever it is."""
    return SortedQueue(lambda run: run.due_by)
