"""The probe application, installed for one test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from worker.fake_service import FakeService, serve


@pytest.fixture(scope="session")
def probe() -> Path:
    """The folder in which the probe application is installed."""
    return Path(__file__).parent / "probe_application"


@pytest.fixture
def applications(probe: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same; this process finds it too."""
    monkeypatch.syspath_prepend(probe)
    return probe


@pytest.fixture(scope="session")
def running_service() -> Iterator[FakeService]:
    """The fake service, for the whole session; tests take `service`, which is empty."""
    with serve() as service:
        yield service


@pytest.fixture
def service(running_service: FakeService) -> Iterator[FakeService]:
    """A fake service with no items, and nothing wrong with it."""
    running_service.reset()
    yield running_service
    running_service.reset()
