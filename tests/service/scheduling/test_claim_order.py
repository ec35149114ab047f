"""The statement that finds the next item follows the rules, whatever the state of the queue."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from coverslip.service.database.scope import PlatformScope
from coverslip.service.scheduling import claim_queries
from coverslip.service.scheduling.order_rules import NEVER_SERVED, Caps, organization_key, run_key
from harness.service import TestService

NOW = datetime(2027, 1, 1, tzinfo=UTC)
OFFERED = [("test-app", "1.0.0"), ("test-app", "2.0.0")]
ITEMS_AT_ONCE = 4


@dataclass(frozen=True)
class Organization:
    id: str
    level: float
    caps: Caps


@dataclass(frozen=True)
class Run:
    id: UUID
    organization_id: str
    user_id: str
    version: str
    due: int
    submitted: int
    processing: int
    ready: int
    resting: int
    """Items that wait, but may not be processed yet."""


caps = st.one_of(st.none(), st.integers(0, 6))
levels = st.one_of(st.just(NEVER_SERVED), st.sampled_from([20_000.0, 20_000.5]), st.floats(19_000, 21_000))


@st.composite
def states(draw: st.DrawFn) -> tuple[list[Organization], list[Run]]:
    organizations = [
        Organization(f"org_{number}", draw(levels), Caps(draw(caps), draw(caps), draw(caps)))
        for number in range(draw(st.integers(1, 5)))
    ]
    small, some = st.integers(0, 3), st.integers(0, 6)
    runs = [
        Run(
            UUID(int=draw(st.integers(0, 2**128 - 1))),
            draw(st.sampled_from(organizations)).id,
            draw(st.sampled_from(["ada", "bob"])),
            draw(st.sampled_from(["1.0.0", "1.0.0", "2.0.0", "3.0.0"])),
            draw(small),
            draw(small),
            draw(some),
            draw(st.integers(0, 2)),
            draw(st.integers(0, 1)),
        )
        for _ in range(draw(st.integers(0, 10)))
    ]
    return organizations, list({run.id: run for run in runs}.values())


def by_the_rules(organizations: Sequence[Organization], runs: Sequence[Run]) -> list[UUID]:
    """The next run of each organization that may start an item, in their order."""
    of_organization: Counter[str] = Counter()
    of_user: Counter[tuple[str, str]] = Counter()
    for run in runs:
        of_organization[run.organization_id] += run.processing
        of_user[run.organization_id, run.user_id] += run.processing
    first = []
    for organization in sorted(organizations, key=lambda one: organization_key(one.level, one.id)):
        may_start = [
            run
            for run in runs
            if run.organization_id == organization.id
            and run.ready
            and ("test-app", run.version) in OFFERED
            and organization.caps.allow(
                of_organization=of_organization[organization.id] + 1,
                of_user=of_user[organization.id, run.user_id] + 1,
                of_run=run.processing + 1,
            )
        ]
        first += sorted(may_start, key=key_of)[:1]
    return [run.id for run in first]


def key_of(run: Run) -> tuple[bool, datetime, datetime, UUID]:
    return run_key(
        processing=run.processing,
        items_at_once=ITEMS_AT_ONCE,
        due_by=NOW + timedelta(hours=run.due),
        submitted_at=NOW + timedelta(minutes=run.submitted),
        run_id=run.id,
    )


def write(service: TestService, organizations: Sequence[Organization], runs: Sequence[Run]) -> None:
    """Bring the database into this state; what is no matter of the order is left out."""
    service.clear()
    rows = service.database.rows
    rows("set session_replication_role = replica")
    for organization in organizations:
        own = [run for run in runs if run.organization_id == organization.id]
        rows(
            "insert into organization_queue values (%s, 1, %s, %s, %s, %s, '-infinity', %s, %s)",
            organization.id,
            organization.caps.max_items,
            organization.caps.max_items_per_user,
            organization.caps.max_items_per_run,
            organization.level,
            sum(run.ready + run.resting for run in own),
            sum(run.processing for run in own),
        )
    for run in runs:
        waiting = run.ready + run.resting
        values = {
            "id": str(run.id),
            "organization_id": run.organization_id,
            "submitted_by": run.user_id,
            "application_id": "test-app",
            "version_number": run.version,
            "state": "TERMINATED" if waiting + run.processing == 0 else "PROCESSING" if run.processing else "PENDING",
            "due_by": (NOW + timedelta(hours=run.due)).isoformat(),
            "submitted_at": (NOW + timedelta(minutes=run.submitted)).isoformat(),
            "item_count": waiting + run.processing,
            "item_pending_count": waiting,
            "item_processing_count": run.processing,
            **dict.fromkeys(
                [f"item_{place}_count" for place in ("succeeded", "user_error", "system_error", "skipped")], 0
            ),
            "last_event": 0,
            "reuse_results": True,
        }
        if values["state"] == "TERMINATED":
            values |= {"termination_reason": "ALL_ITEMS_PROCESSED", "terminated_at": NOW.isoformat()}
        rows("insert into run select * from jsonb_populate_record(null::run, %s::jsonb)", json.dumps(values))
        rows(
            "insert into item (id, run_id, organization_id, position, external_id, state, attempt_count, available_at) "
            "select gen_random_uuid(), %s, %s, n, n::text, 'PENDING', 0, "
            "now() + case when n < %s then interval '0' else interval '1 hour' end from generate_series(0, %s) n",
            run.id,
            run.organization_id,
            run.ready,
            waiting - 1,
        )
    rows("set session_replication_role = origin")


@settings(max_examples=60)
@given(states())
def test_claims_are_made_in_the_order_of_the_rules(
    service: TestService, state: tuple[list[Organization], list[Run]]
) -> None:
    organizations, runs = state
    write(service, organizations, runs)

    async def candidates() -> Sequence[claim_queries.Candidate]:
        async with service.context.database.transaction(PlatformScope()) as connection:
            return await claim_queries.candidates(connection, OFFERED, items_at_once=ITEMS_AT_ONCE, limit=20)

    found = service.run(candidates())
    assert [candidate.run_id for candidate in found] == by_the_rules(organizations, runs)
    processing = {run.id: run.processing for run in runs}
    assert all(one.gives_way == (processing[one.run_id] >= ITEMS_AT_ONCE) for one in found)
