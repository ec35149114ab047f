"""What administrators set: quotas and prices."""

from typing import Any

import httpx

from harness.people import Person

ROOT = "/api/coverslip/v1"
PROBLEM = {"Accept": "application/problem+json"}


def set_quotas(operator: Person, organization_id: str, **limits: int) -> Any:
    """Replace the quotas of an organization."""
    answer = operator.put(f"{ROOT}/organizations/{organization_id}/quotas", json=limits)
    assert answer.status_code == 200, answer.text
    return answer.json()


def set_user_quotas(administrator: Person, user: Person, **limits: int) -> Any:
    """Replace the quotas of a user."""
    path = f"{ROOT}/organizations/{user.organization_id}/users/{user.user_id}/quotas"
    answer = administrator.put(path, json=limits)
    assert answer.status_code == 200, answer.text
    return answer.json()


def price(amount: str, version_number: str | None = None, *, currency: str = "EUR", of: str = "lung-app") -> Any:
    """A price in a price list."""
    return {"application_id": of, "version_number": version_number, "amount": amount, "currency": currency}


def set_prices(operator: Person, organization_id: str, *prices: Any) -> httpx.Response:
    """Replace the price list of an organization."""
    return operator.put(f"{ROOT}/organizations/{organization_id}/prices", json={"prices": prices})


def balances(person: Person) -> Any:
    """The quotas that hold for a person."""
    return person.get(f"{ROOT}/quotas").raise_for_status().json()


def usage(person: Person, **query: str) -> Any:
    """What was processed, and what it cost."""
    return person.get(f"{ROOT}/usage", params=query).raise_for_status().json()


def exceeded(answer: httpx.Response) -> dict[tuple[str, str], Any]:
    """The quotas that a refusal names, by holder and name."""
    assert answer.status_code == 402, answer.text
    return {(each["holder"], each["quota"]): each for each in answer.json()["quotas"]}
