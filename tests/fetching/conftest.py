"""A host on this machine."""

from collections.abc import Iterator

import pytest

from worker.fake_service import FakeService, serve


@pytest.fixture
def service() -> Iterator[FakeService]:
    """A host of slides on loopback."""
    with serve() as service:
        yield service
