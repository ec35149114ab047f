"""Requests: retries, errors, paging, tokens."""

import socket
from typing import Any

import pytest

from coverslip.platform import Client
from coverslip.platform.errors import (
    AnswerNotUnderstood,
    Conflict,
    InvalidRequest,
    MetadataConflict,
    NotFound,
    NotLoggedIn,
    ServerError,
    ServerUnreachable,
)
from coverslip.platform.sdk_metadata import RunSdkMetadata, run_sdk_metadata


def test_a_read_survives_two_failures_of_the_server(platform: Any, client: Client) -> None:
    platform.fail("GET", "/api/v1/me", times=2, status=503)
    assert client.me().user.email == "ada@example.org"
    assert len(platform.asked("GET", "/api/v1/me")) == 3


def test_a_read_is_tried_four_times_and_then_fails(platform: Any, client: Client) -> None:
    platform.fail("GET", "/api/v1/me", times=9, status=500)
    with pytest.raises(ServerError, match="failing on demand"):
        client.me()
    assert len(platform.asked("GET", "/api/v1/me")) == 4


def test_a_write_is_never_repeated_by_itself(platform: Any, client: Client) -> None:
    platform.fail("POST", "/cancel", status=503)
    with pytest.raises(ServerError):
        client.run("0" * 32).cancel()
    assert len(platform.asked("POST", "/cancel")) == 1


def test_problem_documents_become_errors_with_code_and_remedy(client: Client) -> None:
    with pytest.raises(NotFound, match="application not found") as caught:
        client.application("nonsense")
    assert caught.value.problem.code == "CATALOG.APPLICATION_NOT_FOUND"
    assert caught.value.problem.remedy == "List them first."


def test_faults_of_a_malformed_id_are_listed(client: Client) -> None:
    with pytest.raises(InvalidRequest) as caught:
        client.run("4711").details()
    assert "path.run_id" in caught.value.problem.errors[0]


def test_a_refused_token_without_renewal_means_not_logged_in(platform: Any) -> None:
    with Client(token_provider=lambda: "bad") as client, pytest.raises(NotLoggedIn, match="coverslip user login"):
        client.me()


def test_a_dead_address_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        root = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with (
            Client(api_root=root, token_provider=lambda: "") as client,
            pytest.raises(ServerUnreachable, match="coverslip up") as caught,
        ):
            client.me()
    assert root in str(caught.value)
    assert "COVERSLIP_API_ROOT" in str(caught.value)


def test_an_answer_of_something_else_is_not_taken_for_ours(platform: Any, client: Client) -> None:
    with pytest.raises(AnswerNotUnderstood, match="COVERSLIP_API_ROOT"):
        client.api.read(list[int], "/api/v1/me")


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 200])
def test_lists_are_read_to_their_end(platform: Any, client: Client, count: int) -> None:
    platform.applications = [f"app-{number}" for number in range(count)]
    assert [found.application_id for found in client.applications.list()] == platform.applications
    assert len(platform.asked("GET", "/api/v1/applications")) == count // 100 + 1


def test_lists_are_lazy(platform: Any, client: Client) -> None:
    platform.applications = [f"app-{number}" for number in range(300)]
    next(client.applications.list())
    assert len(platform.asked("GET", "/api/v1/applications")) == 1


def test_the_latest_version_goes_by_semantic_versioning(client: Client) -> None:
    latest = client.versions.latest("test-app")
    assert latest is not None
    assert latest.number == "1.10.0"
    assert [version.number for version in client.versions.list_sorted("test-app")] == ["1.10.0", "1.10.0-rc.1", "1.9.0"]


def test_external_ids_with_slashes_are_one_segment(platform: Any, client: Client) -> None:
    run_id = submit(platform, client, ["/data/a b/ü%2F.svs"])
    assert client.run(run_id).item("/data/a b/ü%2F.svs").external_id == "/data/a b/ü%2F.svs"
    assert "/items/%2Fdata%2Fa%20b%2F%C3%BC%252F.svs" in platform.requests[-1][1]


def test_cancelling_an_ended_run_is_a_conflict(platform: Any, client: Client) -> None:
    run = client.run(submit(platform, client, ["/a.svs"]))
    run.cancel()
    with pytest.raises(Conflict, match="ended already"):
        run.cancel()


def test_a_change_based_on_old_metadata_is_refused(platform: Any, client: Client) -> None:
    run = client.run(submit(platform, client, ["/a.svs"]))
    assert run.update_custom_metadata({"study": 1}, custom_metadata_checksum="aaaa") == "bbbb"
    with pytest.raises(MetadataConflict):
        run.update_custom_metadata({"study": 2}, custom_metadata_checksum="aaaa")


def test_sdk_metadata_keeps_to_the_published_keys(client: Client) -> None:
    sdk = run_sdk_metadata("cli", client.me(), note="n", tags={"b", "a"})  # type: ignore[arg-type]
    assert sdk["tags"] == ["a", "b"]
    assert sdk["user"]["organization_name"] == "example"
    assert set(sdk) == {
        "schema_version",
        "created_at",
        "updated_at",
        "tags",
        "submission",
        "user_agent",
        "user",
        "note",
    }
    RunSdkMetadata.model_validate(sdk)


def test_a_platform_on_this_machine_is_not_reached_through_a_proxy(
    platform: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with Client(token_provider=lambda: "good") as client:
        assert client.me().user.name == "Ada"


def test_health_needs_no_login(platform: Any) -> None:
    with Client() as client:
        assert client.health().status == "UP"
    assert "authorization" not in platform.asked("GET", "/health")[0]


def submit(platform: Any, client: Client, external_ids: list[str]) -> str:
    items = [{"external_id": external_id, "input_artifacts": []} for external_id in external_ids]
    body = {"application_id": "test-app", "version_number": "1.10.0", "items": items}
    run_id: str = client.api.request("POST", "/api/v1/runs", body=body).json()["run_id"]
    return run_id
