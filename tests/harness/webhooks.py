"""Webhooks as their owners use and see them."""

import re
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from harness.people import Person
from harness.service import TestService

WEBHOOKS = "/api/coverslip/v1/webhooks"
ELSEWHERE = "https://lims.example/hook"
SENDING = {
    "fetch_allow": ("127.0.0.1",),
    "webhook_connections": 8,
    "webhook_retry_s": 0.02,
}
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def register(person: Person, url: str, **fields: Any) -> dict[str, Any]:
    response = person.post(WEBHOOKS, json={"url": url} | fields)
    assert response.status_code == 201, response.text
    webhook: dict[str, Any] = response.json()
    return webhook


def deliveries(person: Person, webhook: dict[str, Any], **parameters: Any) -> list[dict[str, Any]]:
    """What the API tells of a webhook's deliveries, oldest first."""
    path = f"{WEBHOOKS}/{webhook['webhook_id']}/deliveries"
    found: list[dict[str, Any]] = person.get(path, params={"page_size": 100} | parameters).raise_for_status().json()
    return found[::-1]


def read(person: Person, webhook: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = person.get(f"{WEBHOOKS}/{webhook['webhook_id']}").raise_for_status().json()
    return found


def events(person: Person, run_id: str) -> list[dict[str, Any]]:
    found = person.get(f"/api/coverslip/v1/runs/{run_id}/events", params={"limit": 1000}).raise_for_status()
    listed: list[dict[str, Any]] = found.json()
    return listed


def being_sent(service: TestService) -> int:
    return len(service.database.rows("select id from webhook_delivery where claimed_until is not null"))


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def cancelled(person: Person, *external_ids: str, **fields: Any) -> str:
    """A run of three or more events: submitted, its items terminated, terminated."""
    run_id = person.submit(*external_ids, **fields)
    person.post(f"/api/v1/runs/{run_id}/cancel").raise_for_status()
    return run_id


def until(condition: Callable[[], bool], what: str) -> None:
    give_up_at = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < give_up_at, f"in vain waited for: {what}"
        time.sleep(0.01)


def until_state(person: Person, webhook: dict[str, Any], state: str, count: int) -> list[dict[str, Any]]:
    until(lambda: len(deliveries(person, webhook, state=state)) == count, f"{count} deliveries {state}")
    return deliveries(person, webhook, state=state)
