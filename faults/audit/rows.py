"""What the database holds of a round, where the API does not show it."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from faults.finding import Finding, Kind
from faults.plan import PlannedRun
from faults.queries import Rows

_BY_APPLICATION = ("SUCCEEDED", "USER_ERROR")


def faults_of_rows(rows: Rows, planned: Mapping[UUID, PlannedRun]) -> list[Finding]:
    """What is wrong with the rows of runs that have ended."""
    findings = [Finding(Kind.STUCK, f"{rows.leases} leases are held")] if rows.leases else []
    counts = Counter(item.run_id for item in rows.items)
    for run_id, run in planned.items():
        if counts[run_id] != len(run.items):
            kind = Kind.LOST if counts[run_id] < len(run.items) else Kind.DOUBLE
            findings.append(Finding(kind, f"{run.name} has {counts[run_id]} rows of items, not {len(run.items)}"))
    attempts: dict[UUID, list[Any]] = defaultdict(list)
    for attempt in rows.attempts:
        attempts[attempt.item_id].append(attempt)
    for item in rows.items:
        findings += _of_attempts(item, attempts[item.id])
    for artifact in rows.artifacts:
        if artifact.state != "TERMINATED":
            findings.append(Finding(Kind.STUCK, f"artifact {artifact.name} of {artifact.item_id} is {artifact.state}"))
    return [*findings, *_of_accounts(rows)]


def _of_accounts(rows: Rows) -> Iterator[Finding]:
    succeeded = {item.id: item.external_id for item in rows.items if item.termination_reason == "SUCCEEDED"}
    for item_id in succeeded.keys() - rows.charged:
        yield Finding(Kind.LOST, f"{succeeded[item_id]} succeeded, but does not count as used")
    for item_id in rows.charged - succeeded.keys():
        yield Finding(Kind.WRONG, f"item {item_id} has not succeeded, but counts as used")
    for queue in rows.queues:
        if (queue.waiting, queue.processing) != (queue.pending_items, queue.processing_items):
            yield Finding(Kind.WRONG, f"the scheduler has miscounted: {queue}")


def _of_attempts(item: Any, attempts: Sequence[Any]) -> Iterator[Finding]:
    numbers = [attempt.number for attempt in attempts]
    if numbers != list(range(1, item.attempt_count + 1)):
        yield Finding(Kind.WRONG, f"{item.external_id}: {item.attempt_count} attempts have the numbers {numbers}")
    for attempt in attempts:
        if attempt.ended_at is None or attempt.outcome is None:
            yield Finding(Kind.STUCK, f"{item.external_id}: attempt {attempt.number} has not ended")
    outcomes = Counter(attempt.outcome for attempt in attempts)
    for outcome in _BY_APPLICATION:
        expected = int(item.termination_reason == outcome)
        if outcomes[outcome] != expected:
            kind = Kind.DOUBLE if outcomes[outcome] > expected else Kind.LOST
            yield Finding(kind, f"{item.external_id} is {item.termination_reason} after {dict(outcomes)}")
