"""What the published client makes of our refusals: its exit codes, and what it tells people."""

from pathlib import Path
from typing import Any

import pytest
from tests.interop.published_client import PublishedClient

UNKNOWN = "0" * 32
FAILED, REFUSED, BAD_CONFIGURATION = 1, 2, 78


@pytest.mark.parametrize(
    ("command", "code", "says"),
    [
        ("describe 4711", FAILED, "Failed to retrieve run details"),
        (f"describe {UNKNOWN}", REFUSED, f"Run with ID '{UNKNOWN}' not found."),
        ("cancel 4711", REFUSED, "Run ID '4711' invalid."),
        (f"cancel {UNKNOWN}", REFUSED, "not found"),
        ("result download 4711", REFUSED, "Bad input to download results"),
        (f"result delete {UNKNOWN}", REFUSED, "not found"),
        ("result delete 4711", FAILED, "Failed to delete results"),
        ("update-metadata 4711 {}", REFUSED, "Run ID '4711' invalid"),
        (f"update-metadata {UNKNOWN} {{}}", REFUSED, "not found"),
        (f"update-item-metadata {UNKNOWN} /slide {{}}", REFUSED, "not found"),
        (f"share organization grant {UNKNOWN}", REFUSED, "not found"),
        ("share organization grant 4711", FAILED, "Failed to share run"),
        ("list --for-organization org_unknown", REFUSED, "Access denied"),
    ],
)
def test_a_run_that_is_not_there(client: PublishedClient, command: str, code: int, says: str) -> None:
    ended = client.run("application", "run", *command.split())
    assert (ended.returncode, says in ended.stdout) == (code, True), ended.stdout + ended.stderr


def test_an_item_that_is_not_there(client: PublishedClient, finished_run: Any) -> None:
    for command in (("dump-item-metadata",), ("update-item-metadata", "{}")):
        name, *metadata = command
        ended = client.run("application", "run", name, finished_run["run_id"], "/nobody's", *metadata)
        assert ended.returncode == REFUSED, ended.stdout + ended.stderr


HEADER = (
    "external_id;checksum_base64_crc32c;resolution_mpp;width_px;height_px;staining_method;tissue;disease;"
    "platform_bucket_url"
)


@pytest.mark.parametrize(
    ("mpp", "url", "options", "says"),
    [
        ("8.065226", "gs://bucket/key", [], "8.065226 is greater than the maximum of"),
        ("0.5", "https://elsewhere/key", [], "Invalid platform bucket URL"),
        ("0.5", "gs://bucket/key", ["--due-date", "2020-01-01T00:00:00Z"], "future"),
        ("0.5", "gs://bucket/key", ["--gpu-type", "H100"], "gpu_type"),
        ("0.5", "gs://bucket/key", ["--application-version", "9.9.9"], "Application version not found"),
    ],
)
def test_a_run_that_cannot_be_submitted(
    client: PublishedClient, tmp_path: Path, mpp: str, url: str, options: list[str], says: str
) -> None:
    table = tmp_path / "metadata.csv"
    table.write_text(f"{HEADER}\n/slides/a.tiff;AAAAAA==;{mpp};10;10;;;;{url}\n")
    ended = client.run("application", "run", "submit", "test-app", str(table), *options)
    assert (ended.returncode, says in ended.stdout) == (REFUSED, True), ended.stdout + ended.stderr


def test_a_slide_that_is_not_there(client: PublishedClient, tmp_path: Path) -> None:
    table = tmp_path / "metadata.csv"
    table.write_text(f"{HEADER}\n/slides/a.tiff;AAAAAA==;0.5;10;10;;;;\n")
    ended = client.run("application", "run", "upload", "test-app", str(table))
    assert (ended.returncode, "does not exist" in ended.stdout) == (REFUSED, True), ended.stdout


def test_a_table_that_cannot_be_prepared(client: PublishedClient, tmp_path: Path) -> None:
    files = (str(tmp_path / "metadata.csv"), str(tmp_path))
    assert client.run("application", "run", "prepare", "test-app", *files, "--mapping", "x").returncode == FAILED
    assert client.run("application", "run", "prepare", "unknown", *files).returncode == FAILED


def test_settings_with_a_gap(client: PublishedClient) -> None:
    ended = client.without("AIGNOSTICS_DEVICE_URL").run("user", "whoami")
    assert ended.returncode == BAD_CONFIGURATION, ended.stdout + ended.stderr
