"""Ctrl-C during a long command: say how to go on."""

from collections.abc import Iterator
from contextlib import contextmanager

from coverslip.cli.failures import Interrupted


@contextmanager
def resumable(hint: str) -> Iterator[None]:
    """Within this block, Ctrl-C ends the command with `hint`."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(hint=hint) from None
