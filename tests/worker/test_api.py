"""Talking to the service: it may be away, refuse, or answer nonsense, and none of it gives a secret away."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest

from coverslip.contract.worker import HeartbeatRequest, LeaseRequest, OfferedVersion, ReportRequest
from coverslip.worker import api as module
from coverslip.worker.api import WorkerApi
from coverslip.worker.errors import LeaseLost, ServiceAway, ServiceRefused
from worker import fake_service
from worker.fake_service import SECRET, FakeService

T = TypeVar("T")

REQUEST = LeaseRequest(
    worker_name="tester", versions=[OfferedVersion(application_id="probe", version_number="1.0.0")], wait_s=0
)
SUCCEEDED = ReportRequest.model_validate({"outcome": "SUCCEEDED"})


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RETRY_FROM_S", 0.01)


def ask(service: FakeService, question: Callable[[WorkerApi], Awaitable[T]]) -> T:
    async def asked() -> T:
        api = WorkerApi(service.url, f"worker-{SECRET}", patience_s=0.3)
        try:
            async with asyncio.timeout(20):
                return await question(api)
        finally:
            await api.aclose()

    return asyncio.run(asked())


def test_nothing_to_do_is_no_lease(service: FakeService) -> None:
    assert ask(service, lambda api: api.lease(REQUEST)) is None


@pytest.mark.parametrize("ahead_h", [3, -3, 24 * 400, -24 * 400])
def test_how_long_a_lease_lasts_is_told_by_the_clock_of_the_service(
    service: FakeService, ahead_h: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake_service, "CLOCK_AHEAD", timedelta(hours=ahead_h))
    service.add()
    granted = ask(service, lambda api: api.lease(REQUEST))
    assert granted is not None
    assert service.lease_s <= granted.expires_in_s <= service.lease_s + 1
    item_id, token = granted.lease.item_id, granted.lease.lease_token
    left_s = ask(service, lambda api: api.heartbeat(item_id, token, HeartbeatRequest()))
    assert service.lease_s <= left_s <= service.lease_s + 1


def test_a_service_that_does_not_tell_the_time_is_asked_soon(
    service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake_service, "format_datetime", lambda *_, **__: "")
    service.add()
    granted = ask(service, lambda api: api.lease(REQUEST))
    assert granted is not None
    assert granted.expires_in_s == 0, "our own clock may be wrong by hours"


@pytest.mark.parametrize("status", ["408", "425", "429", "500", "502", "503", "504", "drop"])
def test_a_request_is_repeated_for_long_but_not_for_ever(service: FakeService, status: str) -> None:
    item = service.add()
    service.away["report"] = status
    with pytest.raises(ServiceAway):
        ask(service, lambda api: api.report(UUID(item.lease["item_id"]), item.lease["lease_token"], SUCCEEDED))
    assert service.seen["report"] > 3


def test_work_is_asked_for_as_long_as_it_takes(service: FakeService) -> None:
    service.away["lease"] = "503"

    async def patient(api: WorkerApi) -> None:
        async with asyncio.timeout(0.7):
            await api.lease(REQUEST)

    with pytest.raises(TimeoutError):
        ask(service, patient)


@pytest.mark.parametrize(("status", "code"), [(401, "WORKER.UNKNOWN"), (422, "REQUEST.INVALID")])
def test_a_refusal_has_its_code_and_detail(service: FakeService, status: int, code: str) -> None:
    service.refuses["lease"] = (status, code)
    with pytest.raises(ServiceRefused, match="No lease") as caught:
        ask(service, lambda api: api.lease(REQUEST))
    assert caught.value.refusal_code == code
    assert service.seen["lease"] == 1


def test_a_lost_lease_is_told_from_other_refusals(service: FakeService) -> None:
    service.refuses["report"] = (409, "LEASE.LOST")
    item = service.add()
    with pytest.raises(LeaseLost):
        ask(service, lambda api: api.report(UUID(item.lease["item_id"]), item.lease["lease_token"], SUCCEEDED))


def test_a_lease_that_cannot_be_read_is_refused_without_quoting_it(service: FakeService) -> None:
    item = service.add()
    item.lease["memory_limit_mb"] = f"much {SECRET}"
    with pytest.raises(ServiceRefused, match="version of the service") as caught:
        ask(service, lambda api: api.lease(REQUEST))
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("body", [None, [], "text", {"detail": ["x" * 10_000]}])
def test_any_body_of_a_refusal_will_do(service: FakeService, monkeypatch: pytest.MonkeyPatch, body: Any) -> None:
    from worker import fake_service

    real = fake_service._say
    service.refuses["lease"] = (400, "")
    monkeypatch.setattr(fake_service, "_say", lambda send, status, _: real(send, status, body))
    with pytest.raises(ServiceRefused) as caught:
        ask(service, lambda api: api.lease(REQUEST))
    assert caught.value.refusal_code == "HTTP.400"
    assert len(str(caught.value)) < 1200
