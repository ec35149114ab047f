"""How long the stages of an attempt take."""

import time
from collections.abc import Callable

from coverslip.contract.attempts import MAX_STAGES, StageDuration

_MAX_NAME_LENGTH = 200
_FURTHER = "further stages"


class StageClock:
    """Measures stages, one after the other, by a clock that nobody sets.

    An application may name as many as it likes: those that are too many are measured together.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._begun: list[tuple[str, float]] = []

    def enter(self, stage: str) -> None:
        """The attempt is at ``stage`` from now on, if it was not so already."""
        name = stage[:_MAX_NAME_LENGTH]
        if self._begun and self._begun[-1][0] == name:
            return
        if len(self._begun) < MAX_STAGES:
            self._begun.append((name if len(self._begun) < MAX_STAGES - 1 else _FURTHER, self._now_s()))

    def durations(self) -> list[StageDuration]:
        """Every stage so far; the last one until now."""
        ends = [*(begun_at for _, begun_at in self._begun), self._now_s()][1:]
        return [
            StageDuration(stage=name, duration_s=round(end - begun_at, 3))
            for (name, begun_at), end in zip(self._begun, ends, strict=True)
        ]
