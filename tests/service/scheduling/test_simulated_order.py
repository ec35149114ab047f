"""What the rules promise over time, in simulations that are decided by the product's own functions."""

import itertools
from collections import Counter
from collections.abc import Iterator

from benchmarks.queue_simulator import EPOCH, FairQueue, Submission, simulate
from hypothesis import given
from hypothesis import strategies as st

from coverslip.service.scheduling.order_rules import NEVER_SERVED, charged

ITEM_S = 60.0
BEGIN_S = EPOCH.timestamp()
YEAR_S = 365 * 86_400

weights = st.floats(0.25, 4)


def run(organization_id: str, items: int, *, at_s: float = 0, due_s: float | None = None) -> Submission:
    return Submission(at_s, organization_id, [ITEM_S] * items, due_s)


def starts(submissions: list[Submission], queue: FairQueue, *, slots: int, count: int) -> Iterator[str]:
    """The organizations of the first starts."""
    found = simulate(submissions, queue, slots=slots)
    return (start.submission.organization_id for start in itertools.islice(found, count))


@given(st.lists(weights, min_size=1, max_size=8), weights, st.integers(1, 5), st.integers(1, 20))
def test_no_item_waits_for_ever(others: list[float], weight: float, items: int, slots: int) -> None:
    """However much the others want, each is served its share before an item of the one that arrives last, no more."""
    crowd = {f"crowd-{number}": other for number, other in enumerate(others)}
    submissions = [run(name, 2000) for name in crowd]
    submissions.append(run("late", items, at_s=10 * ITEM_S + 1))
    queue = FairQueue(crowd | {"late": weight}, charge_s=ITEM_S)
    before: Counter[str] = Counter()
    for start in simulate(submissions, queue, slots=slots):
        if start.submission.organization_id == "late":
            items -= 1
            if items == 0:
                break
        elif start.started_s >= submissions[-1].at_s:
            before[start.submission.organization_id] += 1
    wanted = len(submissions[-1].durations_s)
    assert items == 0
    for name, count in before.items():
        assert count <= wanted * crowd[name] / weight * 1.1 + 2


@given(weights, weights, st.integers(1, 10))
def test_slots_are_shared_by_weight(first: float, second: float, slots: int) -> None:
    queue = FairQueue({"a": first, "b": second}, charge_s=ITEM_S)
    counts: Counter[str] = Counter()
    for name in starts([run("a", 2000), run("b", 2000)], queue, slots=slots, count=400):
        counts[name] += 1
        # Start-time fair queueing keeps the difference below one item of each; later service counts a little more.
        assert abs(counts["a"] / first - counts["b"] / second) <= 1.2 * (1 / first + 1 / second)


@given(st.floats(1, 1e7), st.booleans(), st.integers(1, 8))
def test_an_idle_year_earns_no_monopoly(served: float, busy: bool, slots: int) -> None:
    """Whether the one that was always served has something waiting when the other comes back, or a moment later."""
    always = charged(NEVER_SERVED, served, weight=1, at_s=BEGIN_S)
    idle = charged(NEVER_SERVED, 100, weight=1, at_s=BEGIN_S - YEAR_S)
    queue = FairQueue(charge_s=ITEM_S, levels={"always": always, "idle": idle})
    submissions = [run("always", 2000, at_s=BEGIN_S if busy else BEGIN_S + 1), run("idle", 2000, at_s=BEGIN_S + 0.5)]
    counts = Counter(starts(sorted(submissions), queue, slots=slots, count=200 + slots))
    assert counts["idle"] <= 100 + 2 * slots + 2


@given(st.integers(1, 30), st.integers(1, 4))
def test_what_took_longer_than_expected_is_paid_for(longer: int, slots: int) -> None:
    """Whose items take many times what they are charged at first gets fewer of them, and not more time."""
    slow, quick = (Submission(0, name, [s] * 2000) for name, s in (("slow", ITEM_S * longer), ("quick", ITEM_S)))
    spent: Counter[str] = Counter()
    for start in simulate([slow, quick], FairQueue(charge_s=ITEM_S), slots=slots):
        spent[start.submission.organization_id] += start.duration_s
        if start.started_s > 300 * ITEM_S:
            break
    assert spent["slow"] - spent["quick"] <= (slots + 1) * ITEM_S * longer * 1.1


def test_within_an_organization_what_is_due_first_comes_first_but_four_at_once() -> None:
    later, sooner, no_date = run("a", 6, due_s=9000), run("a", 6, due_s=5000), run("a", 2)
    queue = FairQueue(charge_s=ITEM_S)
    found = simulate([later, sooner, no_date], queue, slots=11)
    order = [start.submission for start in found]
    assert order[:11] == [sooner] * 4 + [later] * 4 + [no_date] * 2 + [sooner]
    assert Counter(map(id, order)) == {id(later): 6, id(sooner): 6, id(no_date): 2}


def test_a_run_alone_uses_every_slot() -> None:
    found = list(simulate([run("a", 10)], FairQueue(charge_s=ITEM_S), slots=10))
    assert {start.started_s for start in found} == {0}
