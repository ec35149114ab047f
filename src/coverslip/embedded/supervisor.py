"""Keep the platform's processes alive, and stop them in order."""

import logging
import threading
import time
from dataclasses import dataclass
from typing import Protocol

from coverslip.contract.errors import CoverslipError

logger = logging.getLogger(__name__)

FIRST_DELAY_S = 0.25
# Long enough that a process which cannot start costs next to nothing, short enough that one which can is soon back.
LONGEST_DELAY_S = 5.0
# A process that lived this long is taken as sound again, so its next restart does not wait.
SOUND_AFTER_S = 10.0


class Supervised(Protocol):
    """What the supervisor needs to know of a process."""

    @property
    def name(self) -> str:
        """What people read in messages."""

    def start(self) -> None:
        """Start it; also after it died."""

    def stop(self) -> None:
        """Stop it and return when it is gone."""

    def alive(self) -> bool:
        """Whether it runs."""


@dataclass
class _Watched:
    process: Supervised
    started_s: float
    delay_s: float = FIRST_DELAY_S
    restart_at_s: float | None = None


class Supervisor:
    """Restarts what dies, waiting longer after each failure (0.25 s doubling up to 5 s).

    Processes are added in the order in which they need each other and stopped in the reverse one. Nothing is restarted
    before `watch`, so that a failure while starting up is reported instead of repeated.
    """

    def __init__(self, interval_s: float = 0.1) -> None:
        self._interval_s = interval_s
        self._watched: list[_Watched] = []
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, process: Supervised) -> None:
        """Start the process and keep it; it is stopped with the others even if `start` fails."""
        self._watched.append(_Watched(process, time.monotonic()))
        process.start()

    def watch(self) -> None:
        """Begin to restart what dies, in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop watching, then the processes, last added first."""
        self._stopping.set()
        if self._thread is None:
            self._stop_all()
        else:
            self._thread.join()

    def _stop_all(self) -> None:
        while self._watched:
            self._watched.pop().process.stop()

    def _run(self) -> None:
        while not self._stopping.wait(self._interval_s):
            for watched in self._watched:
                self._look_after(watched, time.monotonic())
        # Here, not in the caller: a process may be bound to the life of the thread that restarted it.
        self._stop_all()

    def _look_after(self, watched: _Watched, now_s: float) -> None:
        process = watched.process
        if process.alive():
            if now_s - watched.started_s > SOUND_AFTER_S:
                watched.delay_s = FIRST_DELAY_S
            return
        if watched.restart_at_s is None:
            logger.warning("the %s ended unexpectedly; restarting it in %.2f s", process.name, watched.delay_s)
            watched.restart_at_s = now_s + watched.delay_s
            watched.delay_s = min(watched.delay_s * 2, LONGEST_DELAY_S)
        if now_s < watched.restart_at_s or self._stopping.is_set():
            return
        watched.restart_at_s = None
        watched.started_s = now_s
        try:
            process.start()
            logger.warning("the %s was restarted", process.name)
        except (CoverslipError, OSError):
            logger.exception("the %s could not be restarted", process.name)
