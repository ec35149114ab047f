"""The events of a run, played again: what happened must be what may happen, and have happened once."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from coverslip.contract.artifacts import ArtifactOutput
from coverslip.contract.events import EventKind, RunEvent
from coverslip.contract.items import ItemResultReadResponse, ItemState
from faults.finding import Finding, Kind
from faults.journey import Journey, insist

_PAGE = 1000


def read_events(journey: Journey) -> list[RunEvent]:
    """All events of a run, page by page."""
    assert journey.run is not None
    path = f"/api/coverslip/v1/runs/{journey.run.run_id}/events"
    events: list[RunEvent] = []
    while True:
        params = {"after": events[-1].number if events else 0, "limit": _PAGE}
        page = insist(lambda: journey.client.api.read(list[RunEvent], path, params))  # noqa: B023 - asked at once
        events += page
        if len(page) < _PAGE:
            return events


def faults_of_events(
    run: str, items: Sequence[ItemResultReadResponse], events: Sequence[RunEvent], last: int
) -> list[Finding]:
    """What is wrong with the events of a run that has ended; ``last`` is the number that the run itself says."""
    findings = []
    numbers = [event.number for event in events]
    if numbers != list(range(1, last + 1)):
        findings.append(Finding(Kind.LOST, f"{run}: of {last} events there are the numbers {numbers}"))
    kinds = Counter(event.kind for event in events)
    findings += [
        Finding(Kind.DOUBLE if kinds[kind] else Kind.LOST, f"{run}: {kinds[kind]} events {kind}")
        for kind in (EventKind.RUN_SUBMITTED, EventKind.RUN_TERMINATED)
        if kinds[kind] != 1
    ]
    of_item: dict[str | None, list[RunEvent]] = defaultdict(list)
    for event in events:
        of_item[event.external_id].append(event)
    for item in items:
        findings += _of_item(item, of_item[item.external_id])
    return findings


def _of_item(item: ItemResultReadResponse, events: Sequence[RunEvent]) -> Iterator[Finding]:
    state, attempt = ItemState.PENDING, 0
    published: Counter[str] = Counter()
    for event in events:
        before = state
        match event.kind:
            case EventKind.ITEM_PROCESSING:
                state, attempt, may = ItemState.PROCESSING, attempt + 1, before is ItemState.PENDING
                may = may and event.payload["attempt"] == attempt
            case EventKind.ITEM_REQUEUED:
                state, may = ItemState.PENDING, before is ItemState.PROCESSING
            case EventKind.ITEM_TERMINATED:
                state, may = ItemState.TERMINATED, before is not ItemState.TERMINATED
                may = may and event.payload["termination_reason"] == item.termination_reason
            case EventKind.ARTIFACT_AVAILABLE:
                may = before is ItemState.PROCESSING
                published[event.payload["name"]] += 1
            case _:
                may = True
        if not may:
            kind = Kind.DOUBLE if before is ItemState.TERMINATED else Kind.WRONG
            yield Finding(kind, f"{item.external_id}: event {event.number} {event.kind} {event.payload} after {before}")
    if state is not item.state:
        yield Finding(Kind.LOST, f"{item.external_id} is {item.state}, but {state} by its events")
    available = Counter(each.name for each in item.output_artifacts if each.output is ArtifactOutput.AVAILABLE)
    if published != available:
        kind = Kind.DOUBLE if published > available else Kind.LOST
        yield Finding(kind, f"{item.external_id} has {dict(available)}, but {dict(published)} by its events")
