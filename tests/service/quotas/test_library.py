"""Quotas and cost through the client library."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest

from coverslip.contract.runs import RunCreationRequest
from coverslip.platform import Client, OrganizationLimits, QuotaExceeded, SlidePrice
from coverslip.platform.problems import problem_of
from harness.people import Person, run_request
from harness.service import TestService


@pytest.fixture
def client(service: TestService, ada: Person) -> Iterator[Client]:
    """Ada's client."""
    with Client(api_root=service.url, token_provider=lambda: ada.token) as client:
        yield client


@pytest.fixture
def operating(service: TestService, operator: Person) -> Iterator[Client]:
    """The operator's client."""
    with Client(api_root=service.url, token_provider=lambda: operator.token) as client:
        yield client


def test_a_refusal_is_data_too(client: Client, operating: Client, ada: Person) -> None:
    operating.quotas.set_for_organization(ada.organization_id, OrganizationLimits(slides_per_month=1, parallel_runs=0))
    request = RunCreationRequest.model_validate(run_request("a", "b"))
    for ask in (client.runs.submit_request, client.runs.validate_request):
        with pytest.raises(QuotaExceeded, match="quota of 1 slides") as refused:
            ask(request)
        assert [(each.quota, each.limit, each.asked) for each in refused.value.problem.quotas] == [
            ("slides_per_month", 1, 2),
            ("parallel_runs", 0, 1),
        ]
    assert client.quotas.own().organization.slides_per_month.remaining == 1


@pytest.mark.usefixtures("he_tme")
def test_the_cost_is_known_before(client: Client, operating: Client, ada: Person) -> None:
    price = SlidePrice(application_id="lung-app", amount=Decimal("12.50"), currency="EUR")
    assert operating.quotas.set_prices(ada.organization_id, [price]) == [price]
    request = RunCreationRequest.model_validate(run_request("a", "b", application_id="lung-app"))
    checked = client.runs.validate_request(request)
    assert (checked.cost, checked.currency, checked.version_number) == (Decimal(25), "EUR", "1.1.0")
    assert list(client.runs.list()) == []


@pytest.mark.parametrize("more", [{}, {"quotas": "many"}, {"quotas": [{"name": "x"}]}])
def test_what_another_platform_says_by_that_name_is_left_aside(more: dict[str, Any]) -> None:
    problem = problem_of(httpx.Response(402, json={"detail": "no"} | more))
    assert (problem.detail, problem.quotas) == ("no", [])
