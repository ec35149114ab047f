"""Caps and the four items of a run hold, also when many workers ask at once."""

from collections import Counter
from typing import Any

import pytest

from harness.people import Person
from harness.service import TestService, at_once


@pytest.fixture
def ada(service: TestService) -> Person:
    return service.member()


def cap(service: TestService, person: Person, **caps: int) -> None:
    service.database.rows(
        "insert into organization_queue (organization_id) values (%s) on conflict do nothing", person.organization_id
    )
    for name, value in caps.items():
        service.database.rows(
            f"update organization_queue set {name} = %s where organization_id = %s", value, person.organization_id
        )


def lease_at_once(service: TestService, workers: int) -> list[Any]:
    """What as many workers get that ask at the same time."""
    asking = [service.worker() for _ in range(workers)]
    return [held for held in at_once([worker.lease for worker in asking]) if held is not None]


def names(count: int, prefix: str = "") -> list[str]:
    return [f"{prefix}{number}" for number in range(count)]


def test_an_organization_has_no_more_items_in_processing_than_its_cap(service: TestService, ada: Person) -> None:
    cap(service, ada, max_items=3)
    for _ in range(4):
        ada.submit(*names(3))
    held = lease_at_once(service, 8)
    assert len(held) == 3
    assert service.worker().lease() is None
    held[0].report("USER_ERROR").raise_for_status()
    assert len(lease_at_once(service, 4)) == 1


def test_a_user_has_no_more_than_the_cap_and_holds_up_no_colleague(service: TestService, ada: Person) -> None:
    bob = service.person(ada.organization_id)
    cap(service, ada, max_items_per_user=2)
    runs = {ada.submit(*names(3)): "ada", ada.submit(*names(3)): "ada", bob.submit(*names(3)): "bob"}
    held = lease_at_once(service, 8)
    assert Counter(runs[one.lease["run_id"]] for one in held) == {"ada": 2, "bob": 2}


def test_a_run_has_no_more_than_the_cap(service: TestService, ada: Person) -> None:
    cap(service, ada, max_items_per_run=1)
    runs = [ada.submit(*names(3)) for _ in range(3)]
    held = lease_at_once(service, 8)
    assert sorted(one.lease["run_id"] for one in held) == sorted(runs)


def test_a_cap_of_zero_holds_everything_back_and_others_are_served(service: TestService, ada: Person) -> None:
    cap(service, ada, max_items=0)
    ada.submit("a")
    stranger = service.member()
    run_id = stranger.submit("x")
    assert [one.lease["run_id"] for one in lease_at_once(service, 3)] == [run_id]


def test_a_worker_that_waits_is_woken_when_a_capped_organization_has_room_again(
    service: TestService, ada: Person
) -> None:
    cap(service, ada, max_items=1)
    ada.submit("a", "b")
    held = service.worker().must_lease()
    answers = at_once([lambda: service.worker().ask(wait_s=20), lambda: held.report("USER_ERROR")])
    assert answers[0].status_code == 200


def test_four_items_of_a_run_at_once_while_another_waits(service: TestService, ada: Person) -> None:
    first, second = ada.submit(*names(10)), ada.submit(*names(10))
    held = lease_at_once(service, 8)
    assert Counter(one.lease["run_id"] for one in held) == {first: 4, second: 4}
    more = lease_at_once(service, 3)
    assert {one.lease["run_id"] for one in more} == {first}, "no slot stays idle"


def test_a_run_alone_gets_every_slot(service: TestService, ada: Person) -> None:
    ada.submit(*names(6))
    assert len(lease_at_once(service, 6)) == 6


def test_two_runs_of_different_organizations_do_not_wait_for_each_other(service: TestService, ada: Person) -> None:
    runs = {ada.submit(*names(8)): "ada", service.member().submit(*names(8)): "other"}
    held = [service.worker().must_lease() for _ in range(12)]
    assert Counter(runs[one.lease["run_id"]] for one in held) == {"ada": 6, "other": 6}
