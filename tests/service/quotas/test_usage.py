"""What slides cost, who sees it, and that it never changes afterwards."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest

from coverslip.service.database.scope import PlatformScope
from coverslip.service.quotas.usage import record_success
from harness.people import Person, run_request
from harness.quotas import ROOT, price, set_prices, usage
from harness.service import TestService
from harness.worker import Held

pytestmark = pytest.mark.usefixtures("he_tme")

FREE = None


def submit(person: Person, *slides: str, version: str = "1.1.0", **query: str) -> str:
    request = run_request(*slides, application_id="lung-app", version_number=version)
    return str(person.post("/api/v1/runs", json=request, params=query).raise_for_status().json()["run_id"])


def lease(service: TestService) -> Held:
    worker = service.worker()
    versions = [{"application_id": "lung-app", "version_number": number} for number in ("1.0.0", "1.1.0")]
    return Held(worker.http, worker.store, worker.ask(versions=versions).raise_for_status().json())


def euros(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def test_only_what_succeeds_costs(service: TestService, operator: Person, ada: Person) -> None:
    set_prices(operator, ada.organization_id, price("12.5")).raise_for_status()
    run_id = submit(ada, "a", "b", "c", "d", "e")
    for _ in range(2):
        lease(service).succeed()
    lease(service).report("USER_ERROR", error_code="X", error_message="x").raise_for_status()
    cancelled = lease(service)
    ada.post(f"/api/v1/runs/{run_id}/cancel").raise_for_status()
    assert cancelled.report("SUCCEEDED").status_code == 409, "the late report of a slide that was skipped"
    month = f"{datetime.now(UTC):%Y-%m}"
    assert usage(ada)["rows"] == [
        {
            "month": month, "application_id": "lung-app", "user_id": ada.user_id,
            "slides": 2, "reused_slides": 0, "cost": euros("25.00"),
        }
    ]  # fmt: skip
    assert (usage(ada)["slides"], usage(ada)["costs"]) == (2, [euros("25.00")])


def test_without_a_price_it_is_free(service: TestService, ada: Person) -> None:
    submit(ada, "a")
    lease(service).succeed()
    ada.submit("b")
    service.worker().finish_all()
    found = usage(ada)
    assert [(row["application_id"], row["slides"], row["cost"]) for row in found["rows"]] == [
        ("lung-app", 1, FREE),
        ("test-app", 1, FREE),
    ]
    assert found["costs"] == []


def test_a_later_price_changes_nothing_of_what_was(service: TestService, operator: Person, ada: Person) -> None:
    set_prices(operator, ada.organization_id, price("10")).raise_for_status()
    submit(ada, "a", "b", "c")
    lease(service).succeed()
    set_prices(operator, ada.organization_id, price("0.0005"), price("7", "1.0.0")).raise_for_status()
    assert usage(ada)["costs"] == [euros("10.00")]
    lease(service).succeed()
    assert usage(ada)["costs"] == [euros("10.0005")]
    set_prices(operator, ada.organization_id, price("3", currency="CHF")).raise_for_status()
    lease(service).succeed()
    assert usage(ada)["costs"] == [{"amount": "3.00", "currency": "CHF"}, euros("10.0005")]
    set_prices(operator, ada.organization_id).raise_for_status()
    assert usage(ada)["costs"] == [{"amount": "3.00", "currency": "CHF"}, euros("10.0005")]


def test_a_version_may_have_its_own_price(service: TestService, operator: Person, ada: Person) -> None:
    set_prices(operator, ada.organization_id, price("2"), price("5", "1.0.0")).raise_for_status()
    for version, cost in (("1.0.0", "5.00"), ("1.1.0", "7.00")):
        submit(ada, "a", version=version)
        lease(service).succeed()
        assert usage(ada)["costs"] == [euros(cost)]


def test_prices_are_those_of_the_organization(service: TestService, operator: Person, ada: Person) -> None:
    stranger = service.member()
    set_prices(operator, stranger.organization_id, price("99")).raise_for_status()
    submit(ada, "a")
    lease(service).succeed()
    assert usage(ada)["costs"] == []


def test_validation_states_the_cost(operator: Person, ada: Person) -> None:
    set_prices(operator, ada.organization_id, price("12.5"), price("1", "1.0.0")).raise_for_status()
    for version, cost in (("1.1.0", "37.50"), ("1.0.0", "3.00")):
        request = run_request("a", "b", "c", application_id="lung-app", version_number=version)
        answer = ada.post("/api/v1/runs?validate_only=true", json=request).raise_for_status()
        assert (answer.json()["cost"], answer.json()["currency"]) == (cost, "EUR")


def test_a_reused_result_is_counted_and_costs_nothing(service: TestService, operator: Person, ada: Person) -> None:
    set_prices(operator, ada.organization_id, price("12.5")).raise_for_status()
    for is_reused in (False, True):
        submit(ada, "a")
        held = lease(service)
        assert held.reuse(b"the pixels").json() == {"reused": is_reused}
        if is_reused:
            held.report("SUCCEEDED").raise_for_status()
        else:
            held.succeed()
    found = usage(ada)
    rows = [(row["slides"], row["reused_slides"], row["cost"]) for row in found["rows"]]
    assert rows == [(1, 0, euros("12.50")), (1, 1, FREE)]
    assert (found["slides"], found["costs"]) == (2, [euros("12.50")])


def test_members_see_their_own_and_administrators_all(
    service: TestService, operator: Person, ada: Person, bob: Person, chief: Person
) -> None:
    set_prices(operator, ada.organization_id, price("1")).raise_for_status()
    for person, slides in ((ada, ["a"]), (bob, ["a", "b"])):
        submit(person, *slides)
        for _ in slides:
            lease(service).succeed()
    stranger = service.member()
    seen = {person: {row["user_id"]: row["slides"] for row in usage(person)["rows"]} for person in (ada, bob, chief)}
    assert seen == {
        ada: {ada.user_id: 1},
        bob: {bob.user_id: 2},
        chief: {ada.user_id: 1, bob.user_id: 2},
    }
    assert usage(stranger)["rows"] == usage(operator)["rows"] == []
    of_organization = f"{ROOT}/organizations/{ada.organization_id}/usage"
    assert operator.get(of_organization).json() == chief.get(of_organization).json() == usage(chief)
    assert [person.get(of_organization).status_code for person in (ada, stranger)] == [403, 404]


def test_days_are_included_to_their_last_instant_in_utc(service: TestService, ada: Person) -> None:
    run_id = submit(ada, "a", "b", "c")
    moments = ("2027-12-31 23:59:59.999999+00", "2028-02-29 00:00:00+00", "2028-03-01 00:30:00+01:00")
    for moment in moments:
        lease(service).succeed()
        newest = "(select max(terminated_at) from item)"
        service.database.rows(f"update slide_usage set succeeded_at = %s where succeeded_at = {newest}", moment)
    assert ada.run(run_id)["state"] == "TERMINATED"

    def months(first: str, last: str) -> Any:
        return [(row["month"], row["slides"]) for row in usage(ada, **{"from": first, "to": last})["rows"]]

    assert months("2027-12-31", "2028-02-29") == [("2027-12", 1), ("2028-02", 2)]
    assert months("2027-12-31", "2028-02-28") == [("2027-12", 1)]
    assert months("2028-01-01", "2028-02-29") == [("2028-02", 2)]
    assert months("2028-03-01", "9999-12-31") == []
    assert months("0001-01-01", "2027-12-30") == []


def test_days_in_disorder_are_refused(ada: Person) -> None:
    answer = ada.get(f"{ROOT}/usage", params={"from": "2026-11-02", "to": "2026-11-01"})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", "to"]


def test_the_database_charges_each_slide_once_and_for_good(service: TestService, operator: Person, ada: Person) -> None:
    set_prices(operator, ada.organization_id, price("1")).raise_for_status()
    run_id = submit(ada, "a")
    lease(service).succeed()
    (item,) = ada.items(run_id)

    async def succeed_again() -> None:
        async with service.context.database.transaction(PlatformScope()) as connection:
            await record_success(connection, UUID(run_id), UUID(item["item_id"]))

    with pytest.raises(Exception, match="slide_usage_pkey"):
        service.run(succeed_again())
    with service.database.connect("service") as connection:
        for statement in ("update slide_usage set amount = 0", "delete from slide_usage", "truncate slide_usage"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
    assert usage(ada)["costs"] == [euros("1.00")]
