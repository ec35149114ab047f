"""Items are found by any external id, however odd."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.people import Person, item_path, item_request
from harness.service import TestService

ODD = [
    "a/b/c.svs",
    "/leading",
    "trailing/",
    "a//b",
    "..",
    "../../etc/passwd",
    "a/../b",
    ".",
    "with space",
    " ",
    "50%25 done",
    "%2F",
    "%00",
    "a+b",
    "a?b=c#d",
    "a;b",
    "Präparat",
    "切片.svs",
    "e\u0301",
    "🔬",
    "line\nbreak",
    "tab\t",
    "\\windows\\path",
    "'; drop table item; --",
    "<script>",
    "custom-metadata",
    "x/custom-metadata",
    "x" * 255,
    "é" * 255,
]


def check(ada: Person, external_ids: list[str]) -> None:
    run_id = ada.submit(items=[item_request(external_id) for external_id in external_ids])
    for number, external_id in enumerate(external_ids):
        path = item_path(run_id, external_id)
        found = ada.get(path)
        assert found.status_code == 200, (external_id, found.text)
        assert found.json()["external_id"] == external_id
        body = {"custom_metadata": {"number": number}}
        changed = ada.put(f"{path}/custom-metadata", json=body)
        assert changed.status_code == 200, (external_id, changed.text)
    numbers = {item["external_id"]: item["custom_metadata"]["number"] for item in ada.items(run_id)}
    assert numbers == {external_id: number for number, external_id in enumerate(external_ids)}
    by_filter = ada.get(f"/api/v1/runs/{run_id}/items", params={"external_id__in": external_ids[:2]}).json()
    assert {item["external_id"] for item in by_filter} == set(external_ids[:2])


def test_odd_external_ids(service: TestService) -> None:
    check(service.member(), ODD)


@settings(max_examples=20)
@given(
    external_ids=st.lists(
        st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=20),
        min_size=1,
        max_size=10,
        unique=True,
    )
)
def test_any_external_ids(running_service: TestService, external_ids: list[str]) -> None:
    check(running_service.member(), external_ids)


@pytest.mark.parametrize("wrong", ["x" * 256, "a\x00b", "\ud800"])
def test_external_ids_that_cannot_be_kept(service: TestService, wrong: str) -> None:
    import json

    body = json.dumps({"application_id": "test-app", "items": [item_request(wrong)]})
    answer = service.member().post("/api/v1/runs", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "items", 0, "external_id"]
