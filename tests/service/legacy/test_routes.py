"""API v1.0.0 over HTTP: the same runs, seen through the old words."""

from typing import Any

import pytest

from harness.people import Person, item_request, run_request
from harness.service import TestService

ROOT = "/legacy/api/v1"


@pytest.fixture
def ada(service: TestService) -> Person:
    return service.member()


def legacy_request(*references: str, **metadata: Any) -> dict[str, Any]:
    items = []
    for reference in references:
        slide = item_request(reference)["input_artifacts"][0]
        items.append({"reference": reference, "input_artifacts": [slide | {"metadata": slide["metadata"] | metadata}]})
    return {"application_version_id": "test-app:v1.0.0", "items": items}


def submit(person: Person, *references: str, **metadata: Any) -> str:
    answer = person.post(f"{ROOT}/runs", json=legacy_request(*references, **metadata))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["application_run_id"])


def test_applications_and_versions(ada: Person) -> None:
    he_tme, application = ada.get(f"{ROOT}/applications").json()
    assert he_tme["application_id"] == "he-tme"
    assert application.keys() == {"application_id", "name", "regulatory_classes", "description"}
    path = f"{ROOT}/applications/test-app/versions"
    (version,) = ada.get(path).json()
    assert version["application_version_id"] == "test-app:v1.0.0"
    assert version["version"] == "1.0.0"
    assert [artifact["name"] for artifact in version["input_artifacts"]] == ["whole_slide_image"]
    assert ada.get(path, params={"version": "1.0.0", "include": "x"}).json() == [version]
    assert ada.get(path, params={"version": "9.9.9"}).json() == []
    assert ada.get(path, params={"page": 2}).json() == []
    assert ada.get(f"{ROOT}/applications/unknown/versions").status_code == 404


def test_a_run_made_here_is_seen_there_and_the_other_way(service: TestService, ada: Person) -> None:
    old = submit(ada, "päth/a b.svs", "b")
    new = ada.submit("c")
    assert [item["external_id"] for item in ada.items(old)] == ["päth/a b.svs", "b"]
    assert ada.run(old)["version_number"] == "1.0.0"
    listed = ada.get(f"{ROOT}/runs", params={"sort": "-triggered_at"}).json()
    assert [run["application_run_id"] for run in listed] == [new, old]
    assert listed[1] == ada.get(f"{ROOT}/runs/{old}").json()
    assert listed[1]["status"] == "RECEIVED"
    assert listed[1]["user_payload"] is None
    service.worker().finish_all()
    assert ada.get(f"{ROOT}/runs/{old}").json()["status"] == "COMPLETED"
    results = ada.get(f"{ROOT}/runs/{old}/results").json()
    assert [result["reference"] for result in results] == ["päth/a b.svs", "b"]
    assert {result["status"] for result in results} == {"SUCCEEDED"}
    artifact = results[0]["output_artifacts"][0]
    assert service.http.get(artifact["download_url"]).status_code == 200
    assert artifact["metadata"]["checksum_base64_crc32c"]


def test_results_by_status_and_reference(service: TestService, ada: Person) -> None:
    run_id = submit(ada, "a", "b")
    service.worker().must_lease().succeed()
    path = f"{ROOT}/runs/{run_id}"
    assert ada.post(f"{path}/cancel").status_code == 202
    assert ada.post(f"{path}/cancel").status_code == 409
    assert ada.get(path).json()["status"] == "CANCELED_USER"

    def references(**params: Any) -> list[str]:
        return [result["reference"] for result in ada.get(f"{path}/results", params=params).json()]

    assert references() == ["a", "b"]
    assert references(sort="-reference") == ["b", "a"]
    assert references(status__in="SUCCEEDED") == ["a"]
    assert references(status__in=["CANCELED_USER", "PENDING"]) == ["b"]
    assert references(status__in="CANCELED_SYSTEM") == []
    assert references(reference__in=["b", "c"]) == ["b"]
    assert ada.get(f"{path}/results", params={"status__in": "SKIPPED"}).status_code == 422
    assert ada.delete(f"{path}/results").status_code == 204
    assert ada.delete(f"{path}/results").status_code == 410
    (first, _) = ada.get(f"{path}/results").json()
    assert {artifact["download_url"] for artifact in first["output_artifacts"]} == {None}


def test_what_old_clients_always_send_is_no_fault(ada: Person) -> None:
    run_id = submit(ada, "a", staining_method="H&E", specimen={"disease": "LUNG_CANCER", "tissue": "LUNG"})
    metadata = ada.items(run_id)[0]["input_artifacts"][0]["metadata"]
    assert metadata == run_request()["items"][0]["input_artifacts"][0]["metadata"]
    answer = ada.post(f"{ROOT}/runs", json=legacy_request("a", colour="pink"))
    assert answer.status_code == 400
    assert "colour" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"application_version_id": "test-app"}, 422),
        ({"application_version_id": "a\x00b:v1.0.0"}, 422),
        ({"application_version_id": "test-app:v9.9.9"}, 404),
        ({"application_version_id": "other:v1.0.0"}, 404),
        ({"items": []}, 422),
        ({"items": legacy_request("a", "a")["items"]}, 400),
    ],
)
def test_bad_requests(ada: Person, change: dict[str, Any], status: int) -> None:
    assert ada.post(f"{ROOT}/runs", json=legacy_request("a") | change).status_code == status
    assert ada.get(f"{ROOT}/runs").json() == []


def test_others_see_nothing(service: TestService, ada: Person) -> None:
    run_id = submit(ada, "a")
    for stranger in (service.member(), service.person(ada.organization_id)):
        assert stranger.get(f"{ROOT}/runs").json() == []
        for method, path in (("GET", ""), ("GET", "/results"), ("POST", "/cancel"), ("DELETE", "/results")):
            assert stranger.request(method, f"{ROOT}/runs/{run_id}{path}").status_code == 404
    assert service.http.get(f"{ROOT}/runs").status_code == 401


def test_the_old_clients_find_health_and_themselves(service: TestService, ada: Person) -> None:
    assert service.http.get("/legacy/health").json() == {"status": "UP"}
    assert ada.get(f"{ROOT}/me").json()["user"]["id"] == ada.user_id
