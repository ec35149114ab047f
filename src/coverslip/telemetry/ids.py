"""What is being worked on right now: ids that every log line and every span carries."""

import contextlib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any

_NO_IDS: Mapping[str, Any] = {}
_current: ContextVar[Mapping[str, Any]] = ContextVar("ids", default=_NO_IDS)


def current_ids() -> Mapping[str, Any]:
    """The ids of the work at hand, such as ``request_id``, ``run_id`` and ``item_id``."""
    return _current.get()


def note_ids(**ids: Any) -> None:
    """Name what the present task works on until it ends."""
    _current.set({**_current.get(), **ids})


@contextlib.contextmanager
def working_on(**ids: Any) -> Iterator[None]:
    """Work on what these ids name; tasks that are created meanwhile inherit them."""
    token = _current.set({**_current.get(), **ids})
    try:
        yield
    finally:
        _current.reset(token)
