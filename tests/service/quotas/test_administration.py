"""Who may read and set quotas and prices, and what is kept of it."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from coverslip.service.access.principal import Role
from harness.people import Person
from harness.quotas import ROOT, balances, price, set_prices, set_quotas, set_user_quotas
from harness.service import TestService

UNLIMITED = {"limit": None, "used": 0, "remaining": None, "resets_at": None}

Action = Callable[[Person, Person], httpx.Response]


def of_organization(ada: Person, what: str) -> str:
    return f"{ROOT}/organizations/{ada.organization_id}/{what}"


def of_user(ada: Person) -> str:
    return of_organization(ada, f"users/{ada.user_id}/quotas")


ACTIONS: dict[str, tuple[Action, int, int]] = {
    # What somebody does about Ada and her organization; what her administrator and the operator are answered.
    "read quotas": (lambda who, ada: who.get(of_organization(ada, "quotas")), 200, 200),
    "set quotas": (lambda who, ada: who.put(of_organization(ada, "quotas"), json={"users": 9}), 403, 200),
    "read a user's": (lambda who, ada: who.get(of_user(ada)), 200, 200),
    "set a user's": (lambda who, ada: who.put(of_user(ada), json={"parallel_runs": 9}), 200, 200),
    "read prices": (lambda who, ada: who.get(of_organization(ada, "prices")), 200, 200),
    "set prices": (lambda who, ada: who.put(of_organization(ada, "prices"), json={"prices": []}), 403, 200),
    "read usage": (lambda who, ada: who.get(of_organization(ada, "usage")), 200, 200),
}


@pytest.mark.parametrize("action", ACTIONS)
def test_who_may_do_what(service: TestService, operator: Person, chief: Person, ada: Person, action: str) -> None:
    act, of_chief, of_operator = ACTIONS[action]
    elsewhere = service.organization()
    people = {
        ada: 403,
        service.person(ada.organization_id): 403,
        service.person(elsewhere): 404,
        service.person(elsewhere, Role.ADMIN): 404,
        chief: of_chief,
        operator: of_operator,
    }
    changes = "select action from audit_entry where action in ('quotas.changed', 'prices.changed')"
    for person, expected in people.items():
        before = len(service.database.rows(changes))
        answer = act(person, ada)
        assert answer.status_code == expected, (person.role, answer.text)
        is_change = expected == 200 and action.startswith("set")
        assert len(service.database.rows(changes)) == before + is_change


@pytest.mark.parametrize("action", ACTIONS)
def test_what_is_not_there(service: TestService, operator: Person, chief: Person, ada: Person, action: str) -> None:
    act, _, _ = ACTIONS[action]
    nobody = Person(service.url, "", user_id="nobody", organization_id="org_none", email="", role=Role.MEMBER)
    assert act(operator, nobody).status_code == act(chief, nobody).status_code == 404
    if "user" in action:
        stranger = service.member()
        outsider = Person(
            service.url, "", user_id=stranger.user_id, organization_id=ada.organization_id, email="", role=Role.MEMBER
        )
        assert act(chief, outsider).json() == {"detail": "The organization has no such user."}


def test_nothing_is_limited_at_first(ada: Person) -> None:
    found = balances(ada)
    resets_at = found["user"]["slides_per_month"]["resets_at"]
    month = UNLIMITED | {"resets_at": resets_at}
    assert found == {
        "organization": {
            "slides_per_month": month,
            "parallel_runs": UNLIMITED,
            "slides_per_run": UNLIMITED | {"limit": 500, "remaining": 500},
            "users": UNLIMITED | {"used": 1},
            "storage_bytes": UNLIMITED,
        },
        "user": {"slides_per_month": month, "parallel_runs": UNLIMITED},
    }


def test_what_is_set_is_read(operator: Person, chief: Person, ada: Person, bob: Person) -> None:
    set_quotas(operator, ada.organization_id, slides_per_month=10, slides_per_run=20)
    set_user_quotas(chief, ada, slides_per_month=3)
    ada.submit("a", "b")
    bob.submit("a")
    found = balances(ada)
    month = found["organization"]["slides_per_month"]
    assert (month["limit"], month["used"], month["remaining"]) == (10, 3, 7)
    assert found["user"]["slides_per_month"] == month | {"limit": 3, "used": 2, "remaining": 1}
    assert found["organization"]["parallel_runs"] == UNLIMITED | {"used": 2}
    of_ada = chief.get(of_user(ada)).json()
    assert of_ada["balances"] == found["user"]
    assert of_ada["limits"] == {"slides_per_month": 3, "parallel_runs": None}
    of_all = chief.get(of_organization(ada, "quotas")).json()
    assert of_all["balances"] == found["organization"]
    assert {name: limit for name, limit in of_all["limits"].items() if limit is not None} == {
        "slides_per_month": 10,
        "slides_per_run": 20,
    }


def test_slides_per_run_are_never_more_than_the_platform_takes(operator: Person, ada: Person) -> None:
    answer = set_quotas(operator, ada.organization_id, slides_per_run=10_000)
    assert answer["limits"]["slides_per_run"] == 10_000
    assert answer["balances"]["slides_per_run"]["limit"] == 500


def test_setting_replaces_and_lifts(operator: Person, ada: Person) -> None:
    set_quotas(operator, ada.organization_id, slides_per_month=1, users=1)
    set_quotas(operator, ada.organization_id, users=0)
    found = balances(ada)["organization"]
    assert found["slides_per_month"]["limit"] is None
    assert found["users"] == {"limit": 0, "used": 1, "remaining": 0, "resets_at": None}


@pytest.mark.parametrize(
    "limits",
    [{"users": -1}, {"users": 2**53}, {"users": 1.5}, {"users": "many"}, {"user": 3}, {"storage": 3}, [], None],
)
def test_what_cannot_be_a_quota(operator: Person, ada: Person, limits: Any) -> None:
    set_quotas(operator, ada.organization_id, users=7)
    assert operator.put(of_organization(ada, "quotas"), json=limits).status_code == 422
    assert balances(ada)["organization"]["users"]["limit"] == 7


@pytest.mark.usefixtures("he_tme")
class TestPrices:
    def test_they_are_replaced_as_a_whole(self, operator: Person, chief: Person, ada: Person) -> None:
        first = [price("12.50"), price("0.0001", "1.0.0", currency="CHF")]
        assert set_prices(operator, ada.organization_id, *first).json() == {"prices": first}
        assert chief.get(of_organization(ada, "prices")).json() == {"prices": first}
        set_prices(operator, ada.organization_id, price("1")).raise_for_status()
        assert chief.get(of_organization(ada, "prices")).json() == {"prices": [price("1.00")]}

    @pytest.mark.parametrize(
        ("prices", "fault"),
        [
            ([price("1", of="unknown")], "there is no unknown"),
            ([price("1", "9.0.0")], "there is no lung-app 9.0.0"),
            ([price("1"), price("2")], "lung-app has two prices"),
            ([price("1", of="test-app")], "test-app is free for everybody"),
        ],
    )
    def test_what_cannot_have_a_price(self, operator: Person, ada: Person, prices: list[Any], fault: str) -> None:
        set_prices(operator, ada.organization_id, price("7")).raise_for_status()
        answer = set_prices(operator, ada.organization_id, *prices)
        assert answer.status_code == 400
        assert fault in answer.json()["detail"]
        assert operator.get(of_organization(ada, "prices")).json() == {"prices": [price("7.00")]}

    @pytest.mark.parametrize(
        "change",
        [{"amount": "-1"}, {"amount": "0.00001"}, {"amount": "NaN"}, {"amount": "1e9"}, {"currency": "euro"}, {"x": 1}],
    )
    def test_what_cannot_be_a_price(self, operator: Person, ada: Person, change: dict[str, Any]) -> None:
        assert set_prices(operator, ada.organization_id, price("1") | change).status_code == 422


@pytest.mark.usefixtures("he_tme")
def test_every_change_is_audited(service: TestService, operator: Person, chief: Person, ada: Person) -> None:
    set_quotas(operator, ada.organization_id, users=7)
    set_quotas(operator, ada.organization_id, users=8)
    set_user_quotas(chief, ada, parallel_runs=2)
    set_prices(operator, ada.organization_id, price("1.5")).raise_for_status()
    rows = service.database.rows(
        "select action, subject, user_id, organization_id, details from audit_entry where action like '%%s.changed' "
        "order by number"
    )
    who = [(row.action, row.subject, row.user_id) for row in rows]
    assert who == [
        ("quotas.changed", ada.organization_id, operator.user_id),
        ("quotas.changed", ada.organization_id, operator.user_id),
        ("quotas.changed", ada.user_id, chief.user_id),
        ("prices.changed", ada.organization_id, operator.user_id),
    ]
    assert {row.organization_id for row in rows} == {ada.organization_id}
    assert [(row.details["before"].get("users"), row.details["after"].get("users")) for row in rows[:2]] == [
        (None, 7),
        (7, 8),
    ]
    assert rows[3].details == {"before": {"prices": []}, "after": {"prices": [price("1.50")]}}
