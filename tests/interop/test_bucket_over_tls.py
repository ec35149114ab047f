"""The published client with nothing of ours beside it: TLS for the bucket's host ends at the platform."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.interop.loaded_client import LoadedClient
from tests.interop.published_client import PublishedClient
from tests.interop.tls_route import TlsRoute, write_certificate

from coverslip.service.s3.dialect_request import PUBLISHED_BUCKET_HOST
from harness.service import TestService


@pytest.fixture
def client(
    live_platform: TestService, published: PublishedClient, loaded: LoadedClient, tmp_path: Path
) -> Iterator[PublishedClient]:
    """A client whose environment says the way."""
    served, authority = write_certificate(PUBLISHED_BUCKET_HOST, tmp_path)
    with (
        TestService(live_platform.database, live_platform.store_folder, bucket_at_published_host=True) as bucket,
        TlsRoute(PUBLISHED_BUCKET_HOST, served, bucket.url) as route,
    ):
        settings = {
            "HTTPS_PROXY": route.url,
            "NO_PROXY": "127.0.0.1",
            "REQUESTS_CA_BUNDLE": str(authority),
            "AWS_CA_BUNDLE": str(authority),
        }
        yield replace(published, settings=published.settings | settings, loaded=loaded)


def test_the_bucket_commands(client: PublishedClient) -> None:
    content = random.Random(5).randbytes(3_000_000)
    (client.folder / "over tls.svs").write_bytes(content)
    uploaded = client.run("bucket", "upload", "over tls.svs", "--destination-prefix", "tls")
    assert uploaded.returncode == 0, uploaded.stdout + uploaded.stderr
    found = client.run("bucket", "find", "tls/.*")
    assert json.loads(found.stdout) == ["tls/over tls.svs"]
    ended = client.run("bucket", "download", "tls/.*", "--destination", "fetched")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert (client.folder / "fetched" / "over tls.svs").read_bytes() == content
    deleted = client.run("bucket", "delete", "tls/.*", "--no-dry-run")
    assert "Deleted 1 object" in deleted.stdout
    assert json.loads(client.run("bucket", "find", "tls/.*").stdout) == []
