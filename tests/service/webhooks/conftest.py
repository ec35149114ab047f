"""A service that sends webhooks, and a receiver."""

from collections.abc import Iterator
from typing import Any

import pytest

from harness.people import Person
from harness.receiver import Receiver
from harness.service import TestService
from harness.webhooks import SENDING, being_sent, until


@pytest.fixture(scope="module")
def running_sender(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestService]:
    """A service that sends, and may reach this machine."""
    with TestService(postgres, tmp_path_factory.mktemp("store"), **SENDING) as service:
        yield service


@pytest.fixture
def service(running_sender: TestService) -> Iterator[TestService]:
    running_sender.clear()
    yield running_sender
    # What is being sent comes to its end before the rows are deleted.
    running_sender.database.rows("update webhook set disabled_reason = 'BY_USER'")
    until(lambda: not being_sent(running_sender), "nothing is being sent")


@pytest.fixture
def receiver(service: TestService) -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def impatient(service: TestService, monkeypatch: pytest.MonkeyPatch) -> None:
    """Receivers have to answer soon."""
    monkeypatch.setattr(service.context.sender, "_timeout_s", 0.5)


@pytest.fixture
def ada(service: TestService) -> Person:
    return service.member()
