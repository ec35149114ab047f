"""Submitting runs: what is refused and how, what is kept, and that nothing is submitted twice."""

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from coverslip.service.access.principal import Role
from harness.people import Person, item_request, run_request
from harness.service import TestService, at_once

PROBLEM = {"Accept": "application/problem+json"}


@pytest.fixture
def ada(service: TestService) -> Person:
    return service.member()


def in_hours(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


def changed(path: str, value: Any) -> dict[str, Any]:
    """A valid request but for one value."""
    request = copy.deepcopy(run_request("a", "b"))
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place: Any = request
    for part in parents:
        place = place[part]
    if value is None and isinstance(place, dict):
        place.pop(last)
    else:
        place[last] = value
    return request


SLIDE = "items.1.input_artifacts.0"


@pytest.mark.parametrize(
    ("path", "value", "code", "message"),
    [
        (f"{SLIDE}.metadata.resolution_mpp", 8.065226874391001, "ARTIFACT.METADATA_INVALID", "8.065226874391001 is gr"),
        (f"{SLIDE}.metadata.width_px", 0, "ARTIFACT.METADATA_INVALID", "Invalid metadata for artifact `whole_slide_im"),
        (f"{SLIDE}.metadata.checksum_base64_crc32c", None, "ARTIFACT.METADATA_INVALID", "required"),
        (f"{SLIDE}.metadata.stain", "H&E", "ARTIFACT.METADATA_INVALID", "stain"),
        (f"{SLIDE}.name", "input_slide", "ARTIFACT.UNKNOWN_NAME", "Invalid artifact `input_slide`"),
        ("items.1.input_artifacts", [], "ARTIFACT.MISSING", "Missing artifact(s) `whole_slide_image`"),
        ("items.1.external_id", "a", "ITEM.DUPLICATE_EXTERNAL_ID", "Duplicate external ID `a`"),
        ("scheduling", {"due_date": "2020-01-01T00:00:00Z"}, "SCHEDULE.PAST", "due_date"),
        ("scheduling", {"deadline": "2020-01-01T00:00:00Z"}, "SCHEDULE.PAST", "deadline"),
        ("scheduling", {"due_date": in_hours(2), "deadline": in_hours(1)}, "SCHEDULE.DUE_AFTER_DEADLINE", "before"),
        ("callback_context", {"x": "y" * 1024}, "CALLBACK_CONTEXT.TOO_LARGE", "1024"),
        ("items", [item_request(f"s{n}") for n in range(501)], "RUN.TOO_MANY_ITEMS", "at most 500"),
    ],
)
def test_business_checks_answer_400(ada: Person, path: str, value: Any, code: str, message: str) -> None:
    request = changed(path, value)
    plain = ada.post("/api/v1/runs", json=request)
    assert plain.status_code == 400
    assert message in plain.json()["detail"]
    problem = ada.post("/api/v1/runs", json=request, headers=PROBLEM)
    assert problem.headers["Content-Type"] == "application/problem+json"
    assert code in {fault["type"] for fault in problem.json()["errors"]}
    assert ada.get("/api/v1/runs").json() == []


def test_every_fault_is_named_with_its_place(ada: Person) -> None:
    request = run_request("a", "a")
    request["items"][0]["input_artifacts"][0]["metadata"]["width_px"] = -1
    request["callback_context"] = {"x": "y" * 1024}
    errors = ada.post("/api/v1/runs", json=request, headers=PROBLEM).json()["errors"]
    assert {tuple(fault["loc"]) for fault in errors} == {
        ("body", "callback_context"),
        ("body", "items", 0, "input_artifacts", 0, "metadata", "width_px"),
        ("body", "items", 1, "external_id"),
    }


@pytest.mark.parametrize(
    ("path", "value", "loc"),
    [
        ("application_id", None, ["application_id"]),
        ("items", [], ["items"]),
        ("items", None, ["items"]),
        ("items.0.input_artifacts", None, ["items", 0, "input_artifacts"]),
        ("items.0.input_artifacts.0.download_url", "", ["items", 0, "input_artifacts", 0, "download_url"]),
        (
            "items.0.input_artifacts.0.download_url",
            "file:///etc/passwd",
            ["items", 0, "input_artifacts", 0, "download_url"],
        ),
        ("items.0.input_artifacts.0.download_url", "http://[::1", ["items", 0, "input_artifacts", 0, "download_url"]),
        (
            "items.0.input_artifacts.0.download_url",
            "https://x/" + "y" * 2083,
            ["items", 0, "input_artifacts", 0, "download_url"],
        ),
        ("items.0.input_artifacts.0.metadata", [], ["items", 0, "input_artifacts", 0, "metadata"]),
        ("custom_metadata", [1], ["custom_metadata"]),
        ("scheduling", {"due_date": "tomorrow"}, ["scheduling", "due_date"]),
        ("scheduling", {"due_date": "2030-01-01T00:00:00"}, ["scheduling", "due_date"]),
        ("scheduling", {"due_date": "9999-12-31T23:59:59-12:00"}, ["scheduling", "due_date"]),
    ],
)
def test_the_shape_of_a_request_answers_422(ada: Person, path: str, value: Any, loc: list[Any]) -> None:
    answer = ada.post("/api/v1/runs", json=changed(path, value))
    assert answer.status_code == 422
    (fault, *_) = answer.json()["detail"]
    assert fault["loc"] == ["body", *loc]
    assert set(fault) == {"loc", "msg", "type"}


def test_unknown_applications_and_versions(ada: Person) -> None:
    def answer(method: str, path: str, **rest: Any) -> tuple[int, bytes]:
        response = ada.request(method, path, **rest)
        return response.status_code, response.content

    assert answer("GET", "/api/v1/applications/nope") == (404, b'{"detail":"application not found"}')
    assert answer("GET", "/api/v1/applications/test-app/versions/9.9.9") == (
        404,
        b'{"detail":"Application version not found"}',
    )
    assert answer("GET", "/api/v1/applications/test-app/versions/v1.0.0")[0] == 422
    body = run_request(application_id="nope")
    assert answer("POST", "/api/v1/runs", json=body) == (404, b'{"detail":"application not found"}')
    body = run_request(version_number="9.9.9")
    assert answer("POST", "/api/v1/runs", json=body) == (404, b'{"detail":"application version not found"}')


def test_a_request_can_be_checked_without_creating_anything(ada: Person) -> None:
    answer = ada.post("/api/v1/runs?validate_only=true", json=run_request("a", "b"), headers={"Idempotency-Key": "k"})
    assert answer.status_code == 200
    version = {"application_id": "test-app", "version_number": "1.0.0"}
    assert answer.json() == version | {"item_count": 2, "cost": None, "currency": None}
    assert ada.get("/api/v1/runs").json() == []
    faulty = changed(f"{SLIDE}.metadata.width_px", 0)
    checked, submitted = (ada.post(f"/api/v1/runs{query}", json=faulty) for query in ("?validate_only=true", ""))
    assert checked.status_code == submitted.status_code == 400
    assert checked.json() == submitted.json()
    # The key was not used up.
    created = ada.post("/api/v1/runs", json=run_request("c"), headers={"Idempotency-Key": "k"})
    assert created.status_code == 201


def test_null_and_absent_mean_the_same(ada: Person) -> None:
    nothing = dict.fromkeys(("version_number", "custom_metadata", "scheduling", "callback_context"))
    request = run_request(**nothing)
    request["items"][0]["custom_metadata"] = None
    shown = ada.run(ada.post("/api/v1/runs", json=request).json()["run_id"])
    assert shown["version_number"] == "1.0.0"
    assert (shown["custom_metadata"], shown["custom_metadata_checksum"], shown["scheduling"]) == (None, None, None)


def test_due_date_and_deadline_are_shown_in_utc(ada: Person) -> None:
    scheduling = {"due_date": "2100-01-01T01:00:00+02:00", "deadline": "9999-12-31T23:59:59.999999Z"}
    shown = ada.run(ada.submit("a", scheduling=scheduling))["scheduling"]
    assert shown == {"due_date": "2099-12-31T23:00:00Z", "deadline": "9999-12-31T23:59:59.999999Z"}


def test_500_slides(service: TestService, ada: Person) -> None:
    run_id = ada.submit(*(f"slide-{number}" for number in range(500)))
    assert ada.run(run_id)["statistics"]["item_pending_count"] == 500
    seen = [
        item["external_id"]
        for page in range(1, 7)
        for item in ada.get(f"/api/v1/runs/{run_id}/items", params={"page": page, "page_size": 100}).json()
    ]
    assert seen == [f"slide-{number}" for number in range(500)]
    assert ada.post(f"/api/v1/runs/{run_id}/cancel").status_code == 202
    assert ada.run(run_id)["statistics"]["item_skipped_count"] == 500


def submit_with(person: Person, key: str, **fields: Any) -> Callable[[], tuple[int, Any]]:
    def send() -> tuple[int, Any]:
        answer = person.post("/api/v1/runs", json=run_request("a", **fields), headers={"Idempotency-Key": key})
        return answer.status_code, answer.json()

    return send


def test_one_key_makes_one_run_however_often_it_is_sent_at_once(ada: Person) -> None:
    answers = at_once([submit_with(ada, "key")] * 10)
    assert {status for status, _ in answers} == {201}
    assert len({body["run_id"] for _, body in answers}) == 1
    assert len(ada.get("/api/v1/runs").json()) == 1


def test_a_key_is_for_one_request_of_one_user(service: TestService, ada: Person) -> None:
    bob = service.person(ada.organization_id)
    ((_, first),) = at_once([submit_with(ada, "key")])
    status, body = submit_with(ada, "key", items=[item_request("another")])()
    assert status == 422
    assert first["run_id"] in body["detail"][0]["msg"]
    status, of_bob = submit_with(bob, "key")()
    assert status == 201
    assert of_bob["run_id"] != first["run_id"]
    assert submit_with(ada, "another key")()[1]["run_id"] != first["run_id"]


def test_a_repeated_request_may_carry_newly_signed_urls(service: TestService, ada: Person) -> None:
    key = service.context.store.owned_key(ada.upload("s.svs", b"abc"))
    assert key is not None
    urls = [service.context.store.sign_get(key, expires_in_s=expires_in_s) for expires_in_s in (100, 200)]
    assert urls[0] != urls[1]
    runs = {submit_with(ada, "key", items=[item_request("a", url=url)])()[1]["run_id"] for url in urls}
    assert len(runs) == 1


METADATA = {
    "sdk": {"note": "hi", "tags": ["a", "b"], "schema_version": "0.0.4"},
    "": {"": [[], {}, None, True, False]},
    "numbers": [0, -1, 1.5, 1e-300, 1e22, 2**70, 0.1, 123456789.123456789],
    "text": 'ä切🔬 "quoted" \\u0000 \\ / \u2028 \x7f \x01',
    "ключ": "значение",
}


def test_metadata_is_kept_verbatim(ada: Person) -> None:
    run_id = ada.submit(items=[item_request("a", custom_metadata=METADATA)], custom_metadata=METADATA)
    assert ada.run(run_id)["custom_metadata"] == METADATA
    assert ada.items(run_id)[0]["custom_metadata"] == METADATA
    artifact = run_request()["items"][0]["input_artifacts"][0]
    assert ada.items(run_id)[0]["input_artifacts"][0]["metadata"] == artifact["metadata"]


def test_metadata_is_changed_by_whoever_read_it_last(ada: Person) -> None:
    run_id = ada.submit(items=[item_request("a", custom_metadata={"v": 0})], custom_metadata={"v": 0})
    for path in (f"/api/v1/runs/{run_id}", f"/api/v1/runs/{run_id}/items/a"):
        before = ada.get(path).json()["custom_metadata_checksum"]

        def put(value: Any, checksum: str | None, path: str = path) -> Any:
            body = {"custom_metadata": value, "custom_metadata_checksum": checksum}
            return ada.put(f"{path}/custom-metadata", json=body)

        answers = at_once([lambda v=value, c=before: put({"v": v}, c) for value in range(1, 6)])
        assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412]
        (won,) = [answer.json()["custom_metadata_checksum"] for answer in answers if answer.status_code == 200]
        shown = ada.get(path).json()
        assert shown["custom_metadata_checksum"] == won
        assert put({"v": 1e2}, "wrong").status_code == 412
        # Without a checksum nothing is compared; null removes the metadata.
        assert (
            put({"v": 1e2}, None).json()["custom_metadata_checksum"] == ada.get(path).json()["custom_metadata_checksum"]
        )
        assert put(None, None).json() == {"custom_metadata_checksum": None}
        assert ada.get(path).json()["custom_metadata"] is None
        assert put({"v": 2}, won).status_code == 412


def test_cancel_is_visible_at_once_and_keeps_what_is_finished(service: TestService, ada: Person) -> None:
    run_id = ada.submit("a", "b", "c")
    worker = service.worker()
    worker.must_lease().succeed()
    held = worker.must_lease()
    assert ada.post(f"/api/v1/runs/{run_id}/cancel").json() == {"run_id": run_id}
    shown = ada.run(run_id)
    assert (shown["state"], shown["termination_reason"], shown["output"]) == (
        "TERMINATED",
        "CANCELED_BY_USER",
        "PARTIAL",
    )
    assert [item["termination_reason"] for item in ada.items(run_id)] == ["SUCCEEDED", "SKIPPED", "SKIPPED"]
    assert held.heartbeat().status_code == 409
    artifact = ada.items(run_id)[0]["output_artifacts"][0]
    assert ada.get(f"/api/v1/runs/{run_id}/artifacts/{artifact['output_artifact_id']}/file").status_code == 307
    skipped = ada.items(run_id)[1]["output_artifacts"][0]
    assert skipped["termination_reason"] == "SKIPPED"
    assert ada.get(f"/api/v1/runs/{run_id}/artifacts/{skipped['output_artifact_id']}/file").status_code == 404
    again = ada.post(f"/api/v1/runs/{run_id}/cancel", headers=PROBLEM)
    assert (again.status_code, again.json()["code"]) == (409, "RUN.TERMINATED")


def test_results_are_deleted_only_after_the_end(ada: Person) -> None:
    run_id = ada.submit("a")
    assert ada.delete(f"/api/v1/runs/{run_id}/artifacts").status_code == 409
    ada.post(f"/api/v1/runs/{run_id}/cancel")
    assert ada.delete(f"/api/v1/runs/{run_id}/artifacts").status_code == 200
    assert ada.delete(f"/api/v1/runs/{run_id}/artifacts").status_code == 410


def test_a_passed_deadline_cancels(service: TestService, ada: Person) -> None:
    run_id = ada.submit("a", scheduling={"deadline": in_hours(1)})
    service.sweep()
    assert ada.run(run_id)["state"] == "PENDING"
    service.database.rows("update run set deadline = now() - interval '1 second'")
    service.sweep()
    shown = ada.run(run_id)
    assert (shown["termination_reason"], shown["error_code"]) == ("CANCELED_BY_SYSTEM", "SCHEDULER.DEADLINE_EXCEEDED")


def test_what_was_done_is_in_the_audit_trail(service: TestService) -> None:
    admin = service.person(service.organization(), Role.ADMIN)
    run_id = admin.submit("a")
    admin.post(f"/api/v1/runs/{run_id}/cancel")
    admin.delete(f"/api/v1/runs/{run_id}/artifacts")
    rows = service.database.rows("select * from audit_entry order by number")
    assert [row.action for row in rows] == ["run.cancelled", "run.results_deleted"]
    assert {(row.subject, row.user_id, row.organization_id) for row in rows} == {
        (run_id, admin.user_id, admin.organization_id)
    }


HOSTILE = {
    "NUL": '{"a": "\\u0000"}',
    "NUL in a key": '{"\\u0000": 1}',
    "lone surrogate": '{"a": "\\ud800"}',
    "lone surrogate in a key": '{"\\udc00": 1}',
    "NaN": '{"a": NaN}',
    "Infinity": '{"a": -Infinity}',
    "overflowing number": '{"a": 1e400}',
    "too deep to keep": '{"a": ' * 150 + "1" + "}" * 150,
    "deep lists": '{"a": ' + "[" * 300 + "]" * 300 + "}",
    "very deep": '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "huge integer": '{"a": ' + "9" * 5000 + "}",
}


@pytest.mark.parametrize("metadata", HOSTILE.values(), ids=HOSTILE.keys())
def test_json_that_cannot_be_kept_is_refused(ada: Person, metadata: str) -> None:
    run_id = ada.submit("a")
    headers = {"Content-Type": "application/json"}
    request = json.dumps(run_request("b", custom_metadata="HERE")).replace('"HERE"', metadata)
    slide = json.dumps(run_request("b"))
    answers = [
        ada.post("/api/v1/runs", content=request, headers=headers),
        ada.post("/api/v1/runs", content=slide.replace('"resolution_mpp": 0.25', f'"x": {metadata}'), headers=headers),
        ada.put(
            f"/api/v1/runs/{run_id}/custom-metadata", content=f'{{"custom_metadata": {metadata}}}', headers=headers
        ),
        ada.put(
            f"/api/v1/runs/{run_id}/items/a/custom-metadata",
            content=f'{{"custom_metadata": {metadata}}}',
            headers=headers,
        ),
    ]
    assert {answer.status_code for answer in answers} <= {400, 422}
    assert len(ada.get("/api/v1/runs").json()) == 1


def test_metadata_as_deep_as_allowed_is_kept(ada: Person) -> None:
    deep: Any = 1
    for _ in range(99):
        deep = {"a": deep}
    assert ada.run(ada.submit("a", custom_metadata=deep))["custom_metadata"] == deep


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"null", b"[]", b'"x"', b"1", b"{}"])
def test_bodies_that_are_no_requests(ada: Person, content: bytes) -> None:
    answer = ada.post("/api/v1/runs", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert ada.post("/api/v1/runs", content=content, headers={"Content-Type": "text/plain"}).status_code == 422


SIGNED = (
    "https://slides.example/s.svs?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={key}/20260101/r/s3/aws4_request"
    "&X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00"
)


def test_a_url_of_another_store_is_kept_whatever_it_says_of_its_key(ada: Person) -> None:
    for key in ("AKIA", "a%00b", "%ff", ""):
        ada.submit(items=[item_request("s", url=SIGNED.format(key=key))])


def test_nothing_is_looked_up_for_more_slides_than_a_run_may_have(ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("coverslip.service.s3.own_urls.holder_of", refuse)
    slides = [item_request(f"s{number}", url=SIGNED.format(key=number)) for number in range(501)]
    for path in ("/api/v1/runs", "/api/v1/runs?validate_only=true"):
        refused = ada.post(path, json=run_request(items=slides), headers=PROBLEM)
        assert [fault["type"] for fault in refused.json()["errors"]] == ["RUN.TOO_MANY_ITEMS"]
