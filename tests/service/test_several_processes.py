"""Several processes of the service share a database and a store; any of them answers any request."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from harness.database import TestDatabase
from harness.people import Person
from harness.service import TestService, at_once
from harness.worker import TLS, Held

_LONGEST_WAIT_S = 20


@pytest.fixture(scope="module")
def services(
    postgres: TestDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[TestService, TestService]]:
    """Two of them, which people know by one address."""
    store = tmp_path_factory.mktemp("store")
    with TestService(postgres, store) as one, TestService(postgres, store, public_url=one.url) as other:
        one.clear()
        yield one, other
        one.clear()


def at(service: TestService, held: Held) -> Held:
    """The same lease, but its holder's requests reach this process."""
    http = httpx.Client(base_url=service.url, headers=held.http.headers, timeout=30, verify=TLS)
    return Held(http, held.store, held.lease)


def person_at(service: TestService, person: Person) -> Person:
    known = {"user_id": person.user_id, "organization_id": person.organization_id, "email": person.email}
    return Person(service.url, person.token, role=person.role, **known)


def test_an_item_wanders_from_process_to_process(services: tuple[TestService, TestService]) -> None:
    one, other = services
    person = one.member()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(other.worker().ask, wait_s=_LONGEST_WAIT_S)
        run_id = person_at(one, person).submit("slide")
        answer = waiting.result().raise_for_status()
    assert answer.status_code == 200  # a process that waits is woken by the other one
    held = Held(other.worker().http, other.worker().store, answer.json())
    assert at(one, held).heartbeat("reading").status_code == 200
    assert at(other, held).heartbeat("writing").status_code == 200
    at(one, held).succeed()
    assert at(other, held).report("SUCCEEDED").status_code == 409
    for service in services:
        assert person_at(service, person).run(run_id)["termination_reason"] == "ALL_ITEMS_PROCESSED"


def test_the_same_key_makes_one_run_whichever_process_gets_it(services: tuple[TestService, TestService]) -> None:
    person = services[0].member()
    people = [person_at(service, person) for service in services]
    for each in people:
        each.headers["Idempotency-Key"] = "once"
    assert len(set(at_once([lambda each=each: each.submit("slide") for each in people]))) == 1


def test_a_lost_lease_is_given_up_once(services: tuple[TestService, TestService]) -> None:
    one, other = services
    one.clear()
    one.member().submit("slide")
    held = other.worker().must_lease()
    one.database.rows("update lease set expires_at = now() - interval '1 second'")
    at_once([one.sweep, other.sweep])
    assert len(one.database.rows("select * from event where kind = 'item.requeued'")) == 1
    again = one.worker().must_lease()
    assert (held.lease["attempt"], again.lease["attempt"]) == (1, 2)
