"""What may happen to a run: it follows its items, until it is cancelled."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from coverslip.contract.items import ItemTerminationReason
from coverslip.contract.runs import RunOutput, RunTerminationReason
from coverslip.service.items.rules import ItemStatus
from coverslip.service.lifecycle import State, change


@dataclass(frozen=True)
class Statistics:
    """How many items of a run are where."""

    pending: int = 0
    processing: int = 0
    succeeded: int = 0
    user_error: int = 0
    system_error: int = 0
    skipped: int = 0

    @classmethod
    def of(cls, items: Iterable[ItemStatus]) -> "Statistics":
        """Count ``items``."""
        return cls(**Counter(_place(item) for item in items))

    @property
    def total(self) -> int:
        return self.pending + self.processing + self.finished

    @property
    def failed(self) -> int:
        return self.user_error + self.system_error

    @property
    def finished(self) -> int:
        return self.succeeded + self.failed + self.skipped

    def moved(self, before: ItemStatus, after: ItemStatus) -> "Statistics":
        """The statistics after one item went from ``before`` to ``after``."""
        source, target = _place(before), _place(after)
        if source == target:
            return self
        return replace(self, **{source: getattr(self, source) - 1, target: getattr(self, target) + 1})

    def all_unfinished_skipped(self) -> "Statistics":
        """The statistics once nothing more will be processed."""
        return replace(self, pending=0, processing=0, skipped=self.skipped + self.pending + self.processing)


def _place(item: ItemStatus) -> str:
    if item.state is not State.TERMINATED:
        return item.state.lower()
    assert item.termination_reason is not None
    return item.termination_reason.lower()


@dataclass(frozen=True)
class ErrorThreshold:
    """When so many items of a run have failed that the others are not worth trying.

    Attributes
    ----------
    items
        At least so many have failed; 0 switches the threshold off.
    share
        And more than this share of all items of the run, from 0 to 1.
    """

    items: int
    share: float

    def is_reached(self, statistics: Statistics) -> bool:
        """Whether a run with these statistics is to be ended."""
        return 0 < self.items <= statistics.failed and statistics.failed > self.share * statistics.total


@dataclass(frozen=True)
class RunStatus:
    """Where a run is, and how it ended if it did."""

    statistics: Statistics
    state: State = State.PENDING
    termination_reason: RunTerminationReason | None = None
    error_code: str | None = None
    error_message: str | None = None

    @property
    def output(self) -> RunOutput:
        """NONE, PARTIAL once an item succeeded, FULL once all did."""
        if self.statistics.succeeded == 0:
            return RunOutput.NONE
        return RunOutput.FULL if self.statistics.succeeded == self.statistics.total else RunOutput.PARTIAL

    def item_moved(self, before: ItemStatus, after: ItemStatus) -> "RunStatus":
        """The run after one of its items went from ``before`` to ``after``."""
        statistics = self.statistics.moved(before, after)
        if statistics.processing > 0:
            state = State.PROCESSING
        elif statistics.pending > 0:
            state = State.PENDING
        else:
            state = State.TERMINATED
        reason = RunTerminationReason.ALL_ITEMS_PROCESSED if state is State.TERMINATED else None
        return RunStatus(statistics, state if state is self.state else change(self.state, state), reason)

    def cancelled(
        self, reason: RunTerminationReason, error_code: str | None = None, error_message: str | None = None
    ) -> "RunStatus":
        """The run after somebody, or a deadline, ended it: what was not finished is skipped."""
        state = change(self.state, State.TERMINATED)
        return RunStatus(self.statistics.all_unfinished_skipped(), state, reason, error_code, error_message)


assert {reason.lower() for reason in ItemTerminationReason} <= set(Statistics.__dataclass_fields__)
