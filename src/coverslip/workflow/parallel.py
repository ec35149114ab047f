"""Transfers side by side that stop together: when one of them fails for all, or when the person interrupts."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self, TypeVar

from coverslip.workflow.events import Event, OnEvent

PARALLEL_TRANSFERS = 4

Result = TypeVar("Result")


class TransfersStopped(Exception):
    """Raised inside a transfer to end it, because all of them end."""


class Transfers:
    """A `with` block in which transfers run side by side; leaving it by an exception ends those under way."""

    def __init__(self, on_event: OnEvent) -> None:
        self._on_event = on_event
        self._stop = threading.Event()
        self._report_lock = threading.Lock()
        self._pool = ThreadPoolExecutor(PARALLEL_TRANSFERS, thread_name_prefix="transfer")

    def start(self, job: Callable[..., Result], *args: Any) -> Future[Result]:
        """Run `job` as soon as there is a place."""
        return self._pool.submit(job, *args)

    def report(self, event: Event) -> None:
        """Pass an event on, one at a time; called inside a transfer it also ends it when all end.

        Raises
        ------
        TransfersStopped
        """
        if self._stop.is_set():
            raise TransfersStopped
        with self._report_lock:
            self._on_event(event)

    def pause(self, seconds: float) -> None:
        """Wait inside a transfer.

        Raises
        ------
        TransfersStopped
            As soon as all transfers end.
        """
        if self._stop.wait(seconds):
            raise TransfersStopped

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._stop.set()
        self._pool.shutdown(wait=True, cancel_futures=kind is not None)
