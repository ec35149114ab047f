"""The published client's commands for sharing, between people of two organizations."""

from pathlib import Path
from typing import Any

import pytest
from tests.interop.conftest import Bridged, Connect
from tests.interop.published_client import Ended, PublishedClient, json_of

SHARE = ("application", "run", "share")
DESCRIBE = ("application", "run", "describe")


@pytest.fixture(scope="module")
def stranger(bridged: Bridged, connect: Connect) -> PublishedClient:
    """The client of somebody in another organization."""
    return bridged(connect())


def done(ended: Ended) -> str:
    """What a command printed, which must have ended well."""
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_a_run_is_shared_with_an_organization(
    client: PublishedClient, stranger: PublishedClient, finished_run: Any
) -> None:
    run_id, organization = finished_run["run_id"], stranger.person.organization_id
    assert stranger.run(*DESCRIBE, run_id).returncode == 2, "it is told of no run that it may not see"
    grant = json_of(client.run(*SHARE, "organization", "grant", run_id, organization, "--format", "json"))
    assert (grant["subject_id"], grant["relation"]) == (organization, "viewer")
    assert run_id in done(stranger.run(*DESCRIBE, run_id))
    (listed,) = json_of(client.run(*SHARE, "organization", "list", run_id, "--format", "json"))
    assert listed["grant_id"] == grant["grant_id"]
    assert "revoked" in done(client.run(*SHARE, "organization", "revoke", run_id, organization))
    assert "No active organization grants." in done(client.run(*SHARE, "organization", "list", run_id))
    assert stranger.run(*DESCRIBE, run_id).returncode == 2


def test_a_run_is_shared_by_a_token(
    client: PublishedClient, stranger: PublishedClient, finished_run: Any, tmp_path: Path
) -> None:
    run_id = finished_run["run_id"]
    until = ("--expires-at", "2099-12-31T23:59:59Z")
    token = json_of(client.run(*SHARE, "token", "create", run_id, *until, "--format", "json"))
    secret = ("--share-token", token["share_token"])
    assert token["expires_at"].startswith("2099-12-31T23:59:59")
    assert json_of(stranger.run(*DESCRIBE, run_id, *secret, "--format", "json"))["run_id"] == run_id
    done(stranger.run("application", "run", "dump-metadata", run_id, *secret))
    done(stranger.run("application", "run", "result", "download", run_id, str(tmp_path), *secret))
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 6
    (listed,) = json_of(client.run(*SHARE, "token", "list", run_id, "--format", "json"))
    assert (listed["share_token_id"], listed["share_token"]) == (token["share_token_id"], None)
    assert token["share_token_id"] in done(client.run(*SHARE, "status", run_id))
    done(client.run(*SHARE, "token", "revoke", run_id, token["share_token_id"]))
    status = json_of(client.run(*SHARE, "status", run_id, "--format", "json"))
    assert status == {"organization_grants": [], "share_tokens": []}
    assert stranger.run(*DESCRIBE, run_id, *secret).returncode == 2
    assert "No active share tokens." in done(client.run(*SHARE, "token", "list", run_id))
