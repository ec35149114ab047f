"""The published client with our bridge beside it: its bucket is the platform's, and it needs no internet."""

import json
from pathlib import Path

from tests.interop.conftest import NO_INTERNET
from tests.interop.published_client import PublishedClient

from harness.worker import crc32c


def found(client: PublishedClient, *arguments: str) -> list[str]:
    ended = client.run("bucket", "find", *arguments)
    assert ended.returncode == 0, ended.stderr
    keys: list[str] = json.loads(ended.stdout)
    return keys


def test_the_bucket_commands(client: PublishedClient, slide: Path) -> None:
    content = slide.read_bytes()
    uploaded = client.run("bucket", "upload", str(slide), "--destination-prefix", "bridge/{username}")
    assert uploaded.returncode == 0, uploaded.stdout + uploaded.stderr
    (key,) = found(client, "bridge/.*")
    assert key.endswith(f"/{slide.name}")
    assert found(client, key, "--what-is-key") == [key]
    ended = client.run("bucket", "download", "bridge/.*", "--destination", "fetched")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert (client.folder / "fetched" / slide.name).read_bytes() == content
    listed = client.person.get("/api/coverslip/v1/objects").json()
    assert crc32c(content) in {one["checksum_base64_crc32c"] for one in listed}
    assert "Would delete 1 object" in client.run("bucket", "delete", "bridge/.*").stdout
    assert "Deleted 1 object" in client.run("bucket", "delete", "bridge/.*", "--no-dry-run").stdout
    assert found(client, "bridge/.*") == []


def test_health_does_not_depend_on_the_internet(published: PublishedClient, client: PublishedClient) -> None:
    """Without the bridge the client asks a public address for its own, and what it finds stops uploads and runs."""
    without = published.run("system", "health", extra=NO_INTERNET)
    parts = json.loads(without.stdout)["components"]
    assert {name for name, part in parts.items() if part["status"] != "UP"} == {"network"}
    assert without.returncode == 1
    healthy = client.run("system", "health")
    assert healthy.returncode == 0, healthy.stdout + healthy.stderr
    parts = json.loads(healthy.stdout)["components"]
    assert {part["status"] for part in parts.values()} == {"UP"}
    platform = parts["aignostics.platform._service.Service"]["components"]
    assert {name: part["status"] for name, part in platform.items()} == {"api_public": "UP", "api_authenticated": "UP"}


VENDORS_ROOT = "https://platform.aignostics.com"
ENDPOINTS = f"""
import coverslip.integrations.aignostics
from types import SimpleNamespace
from aignostics.bucket import Service
from aignostics.platform import settings

key = dict.fromkeys(("aignostics_bucket_hmac_access_key_id", "aignostics_bucket_hmac_secret_access_key"), "key")
service = Service()
service._platform_service = SimpleNamespace(
    get_user_info=lambda: SimpleNamespace(organization=SimpleNamespace(**key))
)
for root in (settings().api_root, "{VENDORS_ROOT}"):
    settings().api_root = root
    print(service._get_s3_client().meta.endpoint_url)
"""


def test_the_vendors_platform_is_left_alone(client: PublishedClient) -> None:
    ended = client.script(ENDPOINTS)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == [
        f"{client.settings['AIGNOSTICS_API_ROOT']}/s3",
        "https://storage.googleapis.com",
    ]
