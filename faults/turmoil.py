"""Strikes the platform as a plan says, while a round is under way."""

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

import psutil

from faults.plan import Fault, Strike
from faults.stage import Stage
from faults.strikes import NoVictim, Undo, strike

_PATIENCE_S = 5.0
_POLL_S = 0.02


class Turmoil:
    """Strikes in a thread of its own as long as the `with` block runs; at its end every lasting fault is mended.

    Attributes
    ----------
    struck
        How often each fault has befallen the platform.
    """

    def __init__(self, stage: Stage, strikes: Sequence[Strike], seed: int) -> None:
        self._stage = stage
        self._moments = sorted(
            [(each.at_s, True, each) for each in strikes]
            + [(each.at_s + each.lasting_s, False, each) for each in strikes if each.lasting_s],
            key=lambda moment: moment[0],
        )
        self._dice = random.Random(f"victims of {seed}")
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="turmoil")
        self._lasting: dict[Strike, Undo] = {}
        self.struck: Counter[Fault] = Counter()

    def __enter__(self) -> Self:
        self._running = self._pool.submit(self._run)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._pool.shutdown()
        if error is None:
            self._running.result()

    def _run(self) -> None:
        began_at = time.monotonic()
        try:
            for at_s, begins, planned in self._moments:
                if self._over.wait(max(began_at + at_s - time.monotonic(), 0)):
                    return
                if begins:
                    self._begin(planned)
                elif planned in self._lasting:
                    self._lasting.pop(planned)()
                # What waited for a victim moves all that follows, so that nothing lasts shorter than planned.
                began_at = max(began_at, time.monotonic() - at_s)
        finally:
            for undo in self._lasting.values():
                undo()

    def _begin(self, planned: Strike) -> None:
        """Strike, as soon as there is a victim; none within a while is left out."""
        give_up_at = time.monotonic() + _PATIENCE_S
        while time.monotonic() < give_up_at:
            try:
                self._lasting[planned] = strike(planned.fault, self._stage, self._dice)
            except (NoVictim, psutil.NoSuchProcess):
                if self._over.wait(_POLL_S):
                    return
            else:
                self.struck[planned.fault] += 1
                return
