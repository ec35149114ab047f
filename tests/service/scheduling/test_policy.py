"""Weights and caps over HTTP."""

import pytest

from coverslip.service.access.principal import Role
from harness.people import Person
from harness.service import TestService

USUAL = {"weight": 1.0, "max_items": None, "max_items_per_user": None, "max_items_per_run": None}


@pytest.fixture
def ada(service: TestService) -> Person:
    return service.member()


def path(person: Person) -> str:
    return f"/api/coverslip/v1/organizations/{person.organization_id}/scheduling"


def test_a_super_administrator_sets_what_an_administrator_reads(service: TestService, ada: Person) -> None:
    admin = service.person(ada.organization_id, Role.ADMIN)
    operator = service.person(service.organization(), Role.SUPER_ADMIN)
    assert admin.get(path(ada)).json() == operator.get(path(ada)).json() == USUAL
    changed = {"weight": 2.5, "max_items": 7, "max_items_per_user": 3, "max_items_per_run": 0}
    assert operator.put(path(ada), json=changed).json() == changed
    assert admin.get(path(ada)).json() == changed
    assert operator.put(path(ada), json={"max_items": 1}).json() == USUAL | {"max_items": 1}
    (first, second) = service.database.rows(
        "select * from audit_entry where action = 'scheduling.changed' order by number"
    )
    assert first.details == {"before": USUAL, "after": changed}
    assert (second.user_id, second.organization_id) == (operator.user_id, ada.organization_id)


def test_what_is_set_holds_at_once(service: TestService, ada: Person) -> None:
    operator = service.person(service.organization(), Role.SUPER_ADMIN)
    ada.submit("a", "b", "c")
    operator.put(path(ada), json={"max_items": 1}).raise_for_status()
    worker = service.worker()
    worker.must_lease()
    assert worker.lease() is None
    operator.put(path(ada), json={}).raise_for_status()
    worker.must_lease()


def test_nobody_else_sees_or_sets_it(service: TestService, ada: Person) -> None:
    admin = service.person(ada.organization_id, Role.ADMIN)
    stranger = service.person(service.organization(), Role.ADMIN)
    operator = service.person(service.organization(), Role.SUPER_ADMIN)
    assert ada.get(path(ada)).status_code == 403
    for person, status in ((ada, 403), (admin, 403), (stranger, 404)):
        assert person.put(path(ada), json={"weight": 100}).status_code == status
    assert stranger.get(path(ada)).status_code == 404
    nobody = "/api/coverslip/v1/organizations/org_none/scheduling"
    assert operator.get(nobody).status_code == operator.put(nobody, json={}).status_code == 404
    assert operator.get(path(ada)).json() == USUAL


@pytest.mark.parametrize(
    "wrong", [{"weight": 0}, {"weight": -1}, {"weight": 1e9}, {"max_items": -1}, {"max_items": 1.5}, {"weight": None}]
)
def test_what_makes_no_sense_is_refused(service: TestService, ada: Person, wrong: dict[str, object]) -> None:
    operator = service.person(service.organization(), Role.SUPER_ADMIN)
    assert operator.put(path(ada), json=wrong).status_code == 422
