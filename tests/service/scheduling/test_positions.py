"""Positions in the queue are those in which items are leased."""

from hypothesis import given
from hypothesis import strategies as st

from coverslip.service.scheduling.order_rules import NEVER_SERVED, charged, organization_key
from coverslip.service.scheduling.position_rules import Backlog, Queue
from harness.people import Person
from harness.service import TestService

NOW_S = 1.8e9


@st.composite
def backlogs(draw: st.DrawFn) -> list[Backlog]:
    seconds = st.one_of(st.just(0), st.floats(1, 1000))
    return [
        Backlog(
            f"org_{number}",
            charged(NEVER_SERVED, draw(seconds), weight=1, at_s=NOW_S),
            draw(st.floats(0.5, 100)),
            draw(st.integers(1, 30)),
        )
        for number in range(draw(st.integers(1, 6)))
    ]


@given(backlogs())
def test_the_closed_form_counts_what_a_list_of_all_items_would(given_backlogs: list[Backlog]) -> None:
    frontier = max(backlog.level for backlog in given_backlogs)
    queue = Queue(given_backlogs, frontier=frontier, at_s=NOW_S)
    first_s = {
        b.organization_id: 0.0 if b.level == NEVER_SERVED else 2 ** (b.level - NOW_S / 86_400) for b in given_backlogs
    }
    for own in given_backlogs:
        ranks = range(own.waiting)
        expected = []
        for rank in ranks:
            start_s = first_s[own.organization_id] + rank * own.charge_s
            tolerance = 1e-6 * max(1, start_s)
            before = [
                first_s[other.organization_id] + number * other.charge_s
                for other in given_backlogs
                if other is not own
                for number in range(other.waiting)
            ]
            expected.append(
                (sum(s < start_s - tolerance for s in before), sum(s <= start_s + tolerance for s in before))
            )
        found = queue.before(own.organization_id, ranks)
        assert all(low <= count <= high for count, (low, high) in zip(found, expected, strict=True))


def test_level_organizations_take_turns_by_their_ids() -> None:
    queue = Queue([Backlog(name, NEVER_SERVED, 60, 3) for name in ("b", "a", "c")], frontier=NEVER_SERVED, at_s=NOW_S)
    assert queue.before("a", range(4)) == [0, 2, 4, 6]
    assert queue.before("b", range(3)) == [1, 3, 5]
    assert queue.before("c", [2]) == [6]
    assert queue.before("of nobody", [0, 7]) == [0, 0]
    assert organization_key(0, "a") < organization_key(0, "b")


def test_items_are_leased_at_their_positions(service: TestService) -> None:
    people: dict[str, Person] = {}
    runs: list[tuple[Person, str]] = []
    for name, weight, sizes in (("a", 1.0, (4, 2)), ("b", 1.7, (3,)), ("c", 0.7, (2, 2))):
        person = people[name] = service.member()
        for number, size in enumerate(sizes):
            runs.append((person, person.submit(*(f"{name}{number}{item}" for item in range(size)))))
        service.database.rows(
            "update organization_queue set weight = %s where organization_id = %s", weight, person.organization_id
        )
    places, preceding = {}, {}
    for person, run_id in runs:
        items = person.items(run_id)
        places |= {item["external_id"]: item["queue_position_platform"] for item in items}
        preceding[items[0]["external_id"]] = person.run(run_id)["num_preceding_items_platform"]
    worker = service.worker()
    leased = []
    while (held := worker.lease()) is not None:
        leased.append(held.lease["external_id"])
    assert [places[name] for name in leased] == list(range(1, len(leased) + 1))
    assert all(places[name] == before + 1 for name, before in preceding.items())


def test_positions_are_looked_at_anew_only_when_they_are_old(service: TestService) -> None:
    ada, bob = service.member(), service.member()
    ada.submit("a")
    run_id = bob.submit("b", "c")
    queue = service.context.queue
    assert bob.run(run_id)["num_preceding_items_platform"] in (0, 1)
    before = bob.items(run_id)[1]["queue_position_platform"]
    queue._max_age_s = 3600
    try:
        bob.items(run_id)
        service.database.rows(
            "update organization_queue set waiting = 0 where organization_id = %s", ada.organization_id
        )
        assert bob.items(run_id)[1]["queue_position_platform"] == before == 3
    finally:
        queue._max_age_s = 0
    assert bob.items(run_id)[1]["queue_position_platform"] == 2
