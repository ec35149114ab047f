"""A worker gets what it has room for, and large items get room in the end."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from coverslip.applications.manifest import Resources
from coverslip.contract.worker import Room
from harness.people import Person
from harness.service import TestService
from harness.worker import OFFER, WorkerClient

LARGE = OFFER | {"version_number": "0.9.0"}
SMALL_ROOM = {"cpu": 1, "memory_mb": 2048, "gpu": 0}
ALL_ROOM = {"cpu": 8, "memory_mb": 16_384, "gpu": 1}


@pytest.mark.parametrize(
    ("room", "expected"),
    [
        (Room(cpu=2, memory_mb=1000, gpu=1), True),
        (Room(cpu=1.9, memory_mb=1000, gpu=1), False),
        (Room(cpu=2, memory_mb=999, gpu=1), False),
        (Room(cpu=2, memory_mb=1000), False),
    ],
)
def test_an_item_fits_if_each_of_its_resources_does(room: Room, expected: bool) -> None:
    assert Resources(cpu=2, memory_mb=1000, gpu=1, time_limit_s=60).fit_into(room) is expected


@pytest.fixture
def large_version(service: TestService) -> Iterator[None]:
    """A version of test-app whose items need a whole worker."""
    resources = {"cpu": 8, "memory_mb": 8192, "gpu": 1, "time_limit_s": 60}
    service.database.rows(
        "insert into application_version select (jsonb_populate_record(v, jsonb_build_object("
        "'number', '0.9.0', 'resources', %s::jsonb))).* from application_version v where application_id = 'test-app'",
        json.dumps(resources),
    )
    yield
    service.clear()
    service.database.rows("delete from application_version where number = '0.9.0'")


@pytest.fixture
def ada(service: TestService) -> Person:
    return service.member()


@pytest.fixture
def worker(service: TestService) -> WorkerClient:
    return service.worker()


def ask(worker: WorkerClient, free: dict[str, Any], total: dict[str, Any] = ALL_ROOM) -> str | None:
    """The external id of what a worker with so much room gets."""
    answer = worker.ask(versions=[OFFER, LARGE], free=free, total=total)
    return str(answer.json()["external_id"]) if answer.status_code == 200 else None


@pytest.mark.usefixtures("large_version")
def test_a_worker_gets_what_it_has_room_for(ada: Person, worker: WorkerClient) -> None:
    ada.submit("large", version_number="0.9.0")
    ada.submit("small", version_number="1.0.0")
    assert ask(worker, SMALL_ROOM) == "small"
    assert ask(worker, SMALL_ROOM) is None
    assert ask(worker, ALL_ROOM | {"gpu": 0}) is None
    assert ask(worker, ALL_ROOM) == "large"


@pytest.mark.usefixtures("large_version")
def test_a_lease_says_what_to_keep_for_the_item(ada: Person, worker: WorkerClient) -> None:
    ada.submit("large", version_number="0.9.0")
    lease = worker.ask(versions=[LARGE]).json()
    assert (lease["cpu"], lease["memory_limit_mb"], lease["gpu"]) == (8, 8192, 1)


@pytest.mark.usefixtures("large_version")
def test_a_large_item_is_not_passed_over_for_ever(service: TestService, ada: Person, worker: WorkerClient) -> None:
    ada.submit("large", version_number="0.9.0")
    ada.submit(*(f"small-{number}" for number in range(5)), version_number="1.0.0")
    assert ask(worker, SMALL_ROOM) == "small-0"
    assert ask(worker, SMALL_ROOM) == "small-1"
    an_hour = "update run set passed_over_at = passed_over_at - interval '1 hour'"
    service.database.rows(an_hour)
    assert ask(worker, SMALL_ROOM) is None, "it makes room"
    assert ask(worker, SMALL_ROOM, total=SMALL_ROOM) == "small-2", "a worker that is too small goes on"
    assert ask(worker, ALL_ROOM) == "large"
    assert ask(worker, SMALL_ROOM) == "small-3"


@pytest.mark.usefixtures("large_version")
def test_who_says_nothing_of_its_room_gets_anything(ada: Person, worker: WorkerClient) -> None:
    ada.submit("large", version_number="0.9.0")
    assert worker.ask(versions=[LARGE]).status_code == 200
