"""Waiting for something that must come, and not for luck."""

import time
from collections.abc import Callable
from typing import TypeVar

import psutil

T = TypeVar("T")


def within(seconds: float, condition: Callable[[], T]) -> T:
    """What ``condition`` gives as soon as it is true; fails if it is not in that time."""
    give_up_at = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < give_up_at, f"not so within {seconds} s"
        time.sleep(0.01)
    return found


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has waited for yet does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
