"""The storage quota holds for clients of S3 too."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from tests.service.s3.conftest import Signed, error_code, presigned

from coverslip.service.access.principal import Role
from harness.people import Person
from harness.quotas import balances, set_quotas
from harness.service import TestService, at_once

REFUSED = (403, "QuotaExceeded")


@pytest.fixture
def allow(service: TestService, ada: Person) -> Callable[[int], Any]:
    """Sets the quota of Ada's organization, in bytes."""
    operator = service.person(service.organization(), Role.SUPER_ADMIN)
    return lambda size_bytes: set_quotas(operator, ada.organization_id, storage_bytes=size_bytes)


def test_refused_exactly_at_the_limit(
    service: TestService, ada: Person, signed: Signed, allow: Callable[[int], Any]
) -> None:
    allow(10)
    assert signed.send("PUT", "/a", b"123456").status_code == 200
    assert error_code(signed.send("PUT", "/b", b"12345")) == REFUSED
    assert len(service.objects("inputs")) == 1, "nothing is kept of what was refused"
    assert signed.send("PUT", "/b", b"1234").status_code == 200
    assert error_code(signed.send("PUT", "/c", b"1")) == REFUSED
    assert signed.send("DELETE", "/b").status_code == 204
    assert signed.send("PUT", "/c", b"1").status_code == 200
    assert balances(ada)["organization"]["storage_bytes"]["used"] == 7


def test_what_is_replaced_makes_room(ada: Person, signed: Signed, allow: Callable[[int], Any]) -> None:
    allow(10)
    for content, expected in ((b"12345678", 200), (b"1234567890", 200), (b"12345678901", 403), (b"12", 200)):
        assert signed.send("PUT", "/a", content).status_code == expected
    allow(1)
    assert signed.send("PUT", "/a", b"1").status_code == 200, "smaller than before"
    assert balances(ada)["organization"]["storage_bytes"]["used"] == 1


def test_of_an_unknown_length_too(service: TestService, ada: Person, allow: Callable[[int], Any]) -> None:
    def chunks() -> Iterator[bytes]:
        yield from [b"12345"] * 3

    allow(14)
    refused = httpx.put(presigned(service, ada, "PUT", "a"), content=chunks())
    assert error_code(refused) == REFUSED
    assert service.objects("inputs") == []
    assert balances(ada)["organization"]["storage_bytes"]["used"] == 0


def test_of_ten_at_once_three_get_through(signed: Signed, allow: Callable[[int], Any]) -> None:
    allow(3)
    answers = at_once([lambda number=number: signed.send("PUT", f"/{number}", b"1") for number in range(10)])
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [403] * 7
