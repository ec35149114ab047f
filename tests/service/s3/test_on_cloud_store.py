"""The same bucket before a store that is itself a bucket elsewhere."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from tests.service.s3.conftest import credentials, s3_client

from harness.database import TestDatabase
from harness.people import Person
from harness.s3 import JuicefsGateway
from harness.service import TestService
from harness.worker import crc32c

CONTENT = random.Random(3).randbytes(20_000_001)
CHUNK_BYTES = 1024 * 1024


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JuicefsGateway]:
    if JuicefsGateway.command() is None:
        pytest.skip(f"{JuicefsGateway.package}, which serves S3 to the tests, is not installed")
    with JuicefsGateway(tmp_path_factory.mktemp("store")) as server:
        yield server


@pytest.fixture(scope="module")
def service(
    postgres: TestDatabase, server: JuicefsGateway, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestService]:
    with TestService(postgres, tmp_path_factory.mktemp("unused"), **server.variables("dialect")) as service:
        service.clear()
        yield service


@pytest.fixture
def ada(service: TestService) -> Person:
    return service.member()


@pytest.fixture
def client(service: TestService, ada: Person) -> Any:
    return s3_client(f"{service.url}/s3", *credentials(ada)[:2])


def test_an_object_larger_than_a_part(client: Any, bucket: str, ada: Person, server: JuicefsGateway) -> None:
    url = client.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "a b ü"})
    pieces = (CONTENT[start:][:CHUNK_BYTES] for start in range(0, len(CONTENT), CHUNK_BYTES))
    requests.put(url, data=pieces, timeout=60).raise_for_status()
    got = client.get_object(Bucket=bucket, Key="a b ü", Range="bytes=8388600-8388700")
    assert got["Body"].read() == CONTENT[8388600:8388701]
    assert client.get_object(Bucket=bucket, Key="a b ü")["Body"].read() == CONTENT
    (listed,) = ada.get("/api/coverslip/v1/objects").json()
    assert listed["checksum_base64_crc32c"] == crc32c(CONTENT)
    client.put_object(Bucket=bucket, Key="a b ü", Body=b"")
    assert list(server.objects("dialect/inputs").values()) == [b""]
    client.delete_object(Bucket=bucket, Key="a b ü")
    assert server.objects("dialect/inputs") == {}


@pytest.mark.parametrize("size_bytes", [1000, 18_000_000])
def test_a_body_that_is_not_the_announced_one(
    client: Any, bucket: str, server: JuicefsGateway, size_bytes: int
) -> None:
    with pytest.raises(client.exceptions.ClientError, match="BadDigest"):
        client.put_object(Bucket=bucket, Key="x", Body=CONTENT[:size_bytes], ChecksumCRC32C="AAAAAA==")
    assert server.objects("dialect/inputs") == {}
    assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
