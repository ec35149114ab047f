"""The published client with nothing of ours beside it: TLS for the bucket's host ends at the platform."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.interop.published_client import PublishedClient
from tests.interop.tls_route import TlsRoute, write_certificate

from coverslip.service.s3.dialect_request import PUBLISHED_BUCKET_HOST
from harness.service import TestService


@pytest.fixture
def settings(live_platform: TestService, tmp_path: Path) -> Iterator[dict[str, str]]:
    """What the client's environment says of the way."""
    served, authority = write_certificate(PUBLISHED_BUCKET_HOST, tmp_path)
    with (
        TestService(live_platform.database, live_platform.store_folder, bucket_at_published_host=True) as bucket,
        TlsRoute(PUBLISHED_BUCKET_HOST, served, bucket.url) as route,
    ):
        yield {
            "HTTPS_PROXY": route.url,
            "NO_PROXY": "127.0.0.1",
            "REQUESTS_CA_BUNDLE": str(authority),
            "AWS_CA_BUNDLE": str(authority),
        }


def test_the_bucket_commands(published: PublishedClient, settings: dict[str, str]) -> None:
    content = random.Random(5).randbytes(3_000_000)
    (published.folder / "over tls.svs").write_bytes(content)
    uploaded = published.run("bucket", "upload", "over tls.svs", "--destination-prefix", "tls", extra=settings)
    assert uploaded.returncode == 0, uploaded.stdout + uploaded.stderr
    found = published.run("bucket", "find", "tls/.*", extra=settings)
    assert json.loads(found.stdout) == ["tls/over tls.svs"]
    ended = published.run("bucket", "download", "tls/.*", "--destination", "fetched", extra=settings)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert (published.folder / "fetched" / "over tls.svs").read_bytes() == content
    deleted = published.run("bucket", "delete", "tls/.*", "--no-dry-run", extra=settings)
    assert "Deleted 1 object" in deleted.stdout
    assert json.loads(published.run("bucket", "find", "tls/.*", extra=settings).stdout) == []
