"""The published client's commands for custom metadata, which refuse to overwrite what somebody else has changed."""

import json
from typing import Any

import pytest
from tests.interop.published_client import PublishedClient, json_of

CONFLICT = 3


@pytest.fixture(params=["run", "item"])
def subject(request: pytest.FixtureRequest, finished_run: Any, client: PublishedClient) -> tuple[str, list[str]]:
    """What has metadata: the infix of its commands, and their first arguments."""
    run_id: str = finished_run["run_id"]
    if request.param == "run":
        return "", [run_id]
    (item,) = client.person.items(run_id)
    return "item-", [run_id, item["external_id"]]


def test_metadata_is_updated_unless_it_changed_meanwhile(
    client: PublishedClient, subject: tuple[str, list[str]]
) -> None:
    infix, named = subject

    def dump(*options: str) -> Any:
        return json_of(client.run("application", "run", f"dump-{infix}metadata", *named, *options))

    def update(metadata: str, *options: str) -> int:
        return client.run("application", "run", f"update-{infix}metadata", *named, metadata, *options).returncode

    assert update("{}") == 0
    checksum = dump("--show-checksum")["custom_metadata_checksum"]
    assert update('{"reader": "Ada"}', "--checksum", checksum) == 0
    metadata = dump("--pretty")
    assert metadata["reader"] == "Ada"
    assert "schema_version" in metadata["sdk"], "the client adds who and when"
    assert update('{"reader": "Bob"}', "--checksum", checksum) == CONFLICT
    assert dump() == metadata
    assert update(json.dumps({"reader": "Eve", "places": [1, None]}), "--no-enrich-sdk-metadata") == 0
    assert dump() == {"reader": "Eve", "places": [1, None]}
    assert dump("--show-checksum")["custom_metadata_checksum"] != checksum
