"""Headers beside the bodies: request ids, entity tags, compression."""

import logging
import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coverslip.service.runs.entity_tags import meets
from harness.people import Person
from harness.service import TestService

PROBLEM = {"Accept": "application/problem+json"}
A_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture
def ada(service: TestService) -> Person:
    return service.member()


class TestRequestIds:
    def test_every_answer_has_one(self, service: TestService, ada: Person) -> None:
        for answer in (ada.get("/api/v1/me"), service.http.get("/api/v1/me"), service.http.get("/health")):
            assert A_UUID.fullmatch(answer.headers["x-request-id"])
        assert ada.get("/api/v1/me").headers["x-request-id"] != ada.get("/api/v1/me").headers["x-request-id"]

    def test_that_of_the_caller_is_kept(self, ada: Person) -> None:
        answer = ada.get("/api/v1/runs/4711", headers=PROBLEM | {"X-Request-ID": "lims-42"})
        assert answer.headers["x-request-id"] == "lims-42"
        assert answer.json()["request_id"] == "lims-42"

    @pytest.mark.parametrize("odd", ["", "a b", "a\tb", "x" * 129, "é"])
    def test_one_that_would_spoil_a_log_is_replaced(self, ada: Person, odd: str) -> None:
        answer = ada.get("/api/v1/me", headers={"X-Request-ID": odd.encode()})
        assert A_UUID.fullmatch(answer.headers["x-request-id"])

    def test_a_failure_of_ours_names_it(
        self, service: TestService, ada: Person, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(*_: Any, **__: Any) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr("coverslip.service.runs.queries.run_by_id", fail)
        run_id = ada.submit("a")
        server_log = logging.getLogger("uvicorn.error")
        monkeypatch.setattr(server_log, "handlers", [caplog.handler])  # it does not propagate
        caplog.set_level(logging.ERROR, logger=server_log.name)  # servers of other tests may have silenced it
        answer = ada.get(f"/api/v1/runs/{run_id}?token=secret", headers={"X-Request-ID": "r-1"})
        assert answer.status_code == 500
        assert "r-1" in answer.json()["detail"]
        # The server logs after it has answered.
        give_up_at = time.monotonic() + 10
        while "r-1" not in caplog.text and time.monotonic() < give_up_at:
            time.sleep(0.01)
        assert f"\nrequest r-1: GET /api/v1/runs/{run_id}\n" in caplog.text
        assert "secret" not in caplog.text


class TestEntityTags:
    @pytest.mark.parametrize("place", ["", "/items/a"])
    def test_a_change_can_name_the_tag_of_what_was_read(self, ada: Person, place: str) -> None:
        run_id = ada.submit("a")
        path = f"/api/v1/runs/{run_id}{place}"

        def put(value: Any, if_match: str) -> Any:
            body = {"custom_metadata": value}
            return ada.put(f"{path}/custom-metadata", json=body, headers={"If-Match": if_match})

        # Nothing is there, so no tag fits, not even any.
        assert "etag" not in ada.get(path).headers
        assert put({"v": 1}, "*").status_code == 412
        ada.put(f"{path}/custom-metadata", json={"custom_metadata": {"v": 1}})
        shown = ada.get(path)
        tag = shown.headers["etag"]
        assert tag == f'"{shown.json()["custom_metadata_checksum"]}"'
        assert shown.headers["cache-control"] == "no-store"
        changed = put({"v": 2}, tag)
        assert changed.status_code == 200
        assert put({"v": 3}, tag).status_code == 412
        assert put({"v": 3}, f"W/{changed.headers['etag']}").status_code == 412
        assert ada.get(path).json()["custom_metadata"] == {"v": 2}
        assert put({"v": 3}, f'"other", {changed.headers["etag"]}').status_code == 200
        assert put({"v": 4}, "*").status_code == 200

    @given(st.lists(st.from_regex(r"[a-f0-9]{1,16}", fullmatch=True)), st.from_regex(r"[a-f0-9]{1,16}", fullmatch=True))
    def test_a_list_of_tags_meets_what_is_in_it(self, tags: list[str], checksum: str) -> None:
        header = ", ".join(f'"{tag}"' for tag in tags)
        assert meets(header, checksum) == (checksum in tags)
        assert not meets(header, None)


class TestCompression:
    def test_lists_are_compressed_for_clients_that_ask(self, ada: Person) -> None:
        run_id = ada.submit(*(f"slide-{number}" for number in range(100)))
        path = f"/api/v1/runs/{run_id}/items?page_size=100"
        plain = ada.get(path, headers={"Accept-Encoding": "identity"})
        packed = ada.get(path, headers={"Accept-Encoding": "gzip"})
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.json() == plain.json()
        assert int(packed.headers["content-length"]) * 5 < int(plain.headers["content-length"])
