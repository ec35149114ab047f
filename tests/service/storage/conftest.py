"""The servers that the tests of the cloud store reach."""

from collections.abc import Iterator

import pytest

from harness.gcs import GcsServer
from harness.s3 import JuicefsGateway, Nanio, S3Server


def started(kind: type[S3Server], tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    if kind.command() is None:
        pytest.skip(f"{kind.package}, which serves S3 to the tests, is not installed")
    with kind(tmp_path_factory.mktemp(kind.program)) as server:
        yield server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """The S3 server that has the fewest faults of its own."""
    yield from started(JuicefsGateway, tmp_path_factory)


@pytest.fixture(scope="session")
def nanio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    yield from started(Nanio, tmp_path_factory)


@pytest.fixture(scope="session")
def gcs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GcsServer]:
    if GcsServer.command() is None:
        pytest.skip(f"{GcsServer.package}, which stands for Google Cloud Storage, is not installed")
    with GcsServer(tmp_path_factory.mktemp("gcs")) as server:
        yield server
