"""Follow a run until it ends."""

import time
from collections.abc import Iterator

from coverslip.contract.items import ItemResultReadResponse
from coverslip.contract.progress import ItemProgress
from coverslip.contract.runs import RunReadResponse, RunState
from coverslip.platform.errors import ServerError, ServerUnreachable
from coverslip.platform.runs import Run
from coverslip.workflow.errors import ServerAwayTooLong
from coverslip.workflow.events import Event, ItemAdvanced, ItemChanged, RunChanged, ServerAway, ServerBack

PATIENCE_S = 600.0
"""How long the platform may be away: long enough for an upgrade."""


def watch(run: Run, *, poll_interval_s: float, patience_s: float = PATIENCE_S) -> Iterator[Event]:
    """Ask again and again how a run is and give every change; ends with the run.

    Raises
    ------
    ServerAwayTooLong
        If the platform does not answer for `patience_s`.
    NotFound, NotLoggedIn
    """
    known = _Known()
    away_since: float | None = None
    while True:
        try:
            details, items, progress = known.ask(run)
        except (ServerUnreachable, ServerError) as error:
            if away_since is None:
                away_since = time.monotonic()
                yield ServerAway(str(error.facts.get("reason", error)))
            if time.monotonic() - away_since > patience_s:
                minutes = patience_s / 60
                raise ServerAwayTooLong(
                    run_id=run.run_id, minutes=minutes, reason=error.facts.get("reason", error)
                ) from error
        else:
            if away_since is not None:
                away_since = None
                yield ServerBack()
            yield from known.changes(details, items, progress)
            if details.state is RunState.TERMINATED:
                return
        time.sleep(poll_interval_s)


class _Known:
    """What was known of a run when it was asked for last."""

    def __init__(self) -> None:
        self._run: RunReadResponse | None = None
        self._items: dict[str, tuple[object, ...]] = {}
        self._progress: list[ItemProgress] = []

    def ask(self, run: Run) -> tuple[RunReadResponse, list[ItemResultReadResponse], list[ItemProgress]]:
        details = run.details()
        # Thousands of items are listed only when something has happened to one of them.
        items = list(run.results()) if self._differs(details) else []
        progress = run.progress() if details.statistics.item_processing_count else []
        return details, items, progress

    def changes(
        self, details: RunReadResponse, items: list[ItemResultReadResponse], progress: list[ItemProgress]
    ) -> Iterator[Event]:
        for item in items:
            state = (item.state, item.output, item.termination_reason)
            if self._items.get(item.external_id) != state:
                self._items[item.external_id] = state
                yield ItemChanged(item)
        if self._differs(details):
            self._run = details
            yield RunChanged(details)
        for entry in progress:
            if entry not in self._progress:
                yield ItemAdvanced(entry)
        self._progress = progress

    def _differs(self, details: RunReadResponse) -> bool:
        return self._run is None or (self._run.state, self._run.statistics) != (details.state, details.statistics)
