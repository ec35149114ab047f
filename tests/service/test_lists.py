"""Lists: pages, orders, filters."""

import pytest

from harness.people import Person, item_request
from harness.service import TestService


@pytest.fixture
def ada(service: TestService) -> Person:
    return service.member()


def ids(person: Person, query: str) -> list[str]:
    answer = person.get(f"/api/v1/runs?{query}")
    assert answer.status_code == 200, answer.text
    return [run["run_id"] for run in answer.json()]


def test_pages(ada: Person) -> None:
    runs = [ada.submit("a") for _ in range(7)][::-1]
    assert ids(ada, "") == runs
    assert ids(ada, "page_size=5") == runs[:5]
    assert ids(ada, "page_size=5&page=2") == runs[5:]
    assert ids(ada, f"page={10**30}") == []
    for wrong in ("page=0", "page=-1", "page=x", "page_size=4", "page_size=101", "page_size="):
        assert ada.get(f"/api/v1/runs?{wrong}").status_code == 422
    assert ada.get("/api/v1/applications?page-size=4").status_code == 422
    assert [a["application_id"] for a in ada.get("/api/v1/applications?page-size=5").json()] == ["he-tme", "test-app"]
    assert ada.get("/api/v1/applications?page=2").json() == []


def test_orders(ada: Person) -> None:
    runs = [ada.submit("a") for _ in range(3)]
    for ascending in ("submitted_at", "+submitted_at", "%2Bsubmitted_at", "%20submitted_at"):
        assert ids(ada, f"sort={ascending}") == runs
    assert ids(ada, "sort=-submitted_at") == runs[::-1]
    assert ids(ada, "sort=state&sort=-submitted_at") == runs[::-1]
    ada.post(f"/api/v1/runs/{runs[1]}/cancel")
    # What has no value comes last in either direction.
    assert ids(ada, "sort=terminated_at&sort=submitted_at") == [runs[1], runs[0], runs[2]]
    assert ids(ada, "sort=-terminated_at&sort=submitted_at") == [runs[1], runs[0], runs[2]]


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/api/v1/applications", {"application_id", "name", "description", "regulatory_classes"}),
        (
            "/api/v1/runs",
            {
                "run_id",
                "application_id",
                "version_number",
                "custom_metadata",
                "submitted_at",
                "submitted_by",
                "terminated_at",
                "termination_reason",
            },
        ),
        (
            "/api/v1/runs/{run_id}/items",
            {"item_id", "external_id", "custom_metadata", "terminated_at", "termination_reason"},
        ),
    ],
)
def test_every_published_sort_field(ada: Person, path: str, fields: set[str]) -> None:
    path = path.format(run_id=ada.submit("a", "b"))
    for field in fields:
        for sign in ("", "-", "%2B"):
            assert ada.get(f"{path}?sort={sign}{field}").status_code == 200, field
    refused = ada.get(f"{path}?sort=nonsense")
    assert refused.status_code == 422
    (fault,) = refused.json()["detail"]
    assert fault["loc"] == ["query", "sort", 0]
    assert all(field in fault["msg"] for field in fields)


def test_narrowing_runs(service: TestService, ada: Person) -> None:
    first, second = ada.submit("a", "b"), ada.submit("b", "c/d e")
    service.person(ada.organization_id).submit("a")
    assert ids(ada, "external_id=a") == [first]
    assert ids(ada, "external_id=b") == [second, first]
    assert ids(ada, "external_id=c%2Fd+e") == [second]
    assert ids(ada, "application_id=test-app&application_version=1.0.0") == [second, first]
    for nothing in (
        "application_id=x",
        "application_version=2.0.0",
        "submitted_by=x",
        "organization_id=x",
        "external_id=",
    ):
        assert ids(ada, nothing) == []
    assert ids(ada, f"submitted_by={ada.user_id}&organization_id={ada.organization_id}") == [second, first]
    assert ids(ada, "submitted_by=me&organization_id=my_org") == [second, first]


def test_narrowing_items(service: TestService, ada: Person) -> None:
    run_id = ada.submit("a", "b", "c")
    service.worker().must_lease().report("USER_ERROR", error_code="SLIDE.X", error_message="no tissue")
    service.worker().must_lease()
    items = {item["external_id"]: item for item in ada.items(run_id)}

    def found(query: str) -> str:
        answer = ada.get(f"/api/v1/runs/{run_id}/items?{query}")
        assert answer.status_code == 200, answer.text
        return "".join(item["external_id"] for item in answer.json())

    assert found("") == "abc"
    assert (found("state=TERMINATED"), found("state=PROCESSING"), found("state=PENDING")) == ("a", "b", "c")
    assert (found("termination_reason=USER_ERROR"), found("termination_reason=SKIPPED")) == ("a", "")
    assert found(f"item_id__in={items['a']['item_id']}&item_id__in={items['c']['item_id']}") == "ac"
    assert found("external_id__in=c&external_id__in=b&external_id__in=nope") == "bc"
    assert found("sort=-external_id") == "cba"
    assert items["a"]["error_message"] == "no tissue"
    assert items["c"]["queue_position_org"] == items["c"]["queue_position_platform"] == 1
    for wrong in ("state=DONE", "termination_reason=x", "item_id__in=x"):
        assert ada.get(f"/api/v1/runs/{run_id}/items?{wrong}").status_code == 422


def test_places_in_the_queue(service: TestService, ada: Person) -> None:
    stranger = service.member()
    stranger.submit("x")
    first, second = ada.submit("a"), ada.submit("b", "c")
    shown = ada.run(second)
    assert (shown["num_preceding_items_org"], shown["num_preceding_items_platform"]) == (1, 2)
    places = [(i["queue_position_org"], i["queue_position_platform"]) for i in ada.items(second)]
    assert places == [(2, 3), (3, 4)]
    ada.post(f"/api/v1/runs/{first}/cancel")
    assert ada.run(second)["num_preceding_items_org"] == 0
    assert ada.run(first)["num_preceding_items_org"] is None


SDK = {
    "study": "abc-1",
    "score": 0.8,
    "tags": ["draft", "b$c"],
    "sdk": {"note": "URGENT"},
    "when": "2026-01-01T00:00:00Z",
}


@pytest.mark.parametrize(
    ("path", "matches"),
    [
        ("$", True),
        ("$.study", True),
        ("$.nope", False),
        ("study", True),
        ("sdk.note", True),
        ('tags[*] ? (@ == "b$c")', True),
        ('$.study ? (@ == "abc-1")', True),
        ('$.study ? (@ == "abc-2")', False),
        ("$.score ? (@ > 0.75)", True),
        ("$.score ? (@ > 0.85)", False),
        ('$.tags[*] ? (@ == "draft")', True),
        ('$.tags ? (@ == "draft")', True),
        ('$.sdk.note ? (@ like_regex "urgent" flag "i")', True),
        ('$.sdk.note ? (@ like_regex "urgent")', False),
        ('$.** ? (@ == "URGENT")', True),
        ("strict $.tags", True),
        ('exists ($.study ? (@ == "abc-1"))', True),
    ],
)
def test_metadata_filters(ada: Person, path: str, matches: bool) -> None:
    run_id = ada.submit(items=[item_request("a", custom_metadata=SDK), item_request("b")], custom_metadata=SDK)
    ada.submit("without metadata")
    runs = ada.get("/api/v1/runs", params={"custom_metadata": path})
    assert runs.status_code == 200, runs.text
    assert [run["run_id"] for run in runs.json()] == [run_id] * matches
    items = ada.get(f"/api/v1/runs/{run_id}/items", params={"custom_metadata": path})
    assert [item["external_id"] for item in items.json()] == ["a"] * matches


@pytest.mark.parametrize(
    "path",
    [
        "$.[",
        "$ ? (@.x ==",
        "",
        "$.a; drop table run",
        "$') or true --",
        '$ ? (@ like_regex "(")',
        '$.study ? (@ like_regex "x" flag "x")',
        '$.study ? (@ like_regex "x" flag "z")',
        '$.when.datetime() ? (@ < "2027-01-01".date())',
        "(" * 400 + "$" + ")" * 400 + "[",
        "$x",
    ],
)
def test_filters_that_are_none_are_refused(ada: Person, path: str) -> None:
    run_id = ada.submit(items=[item_request("a", custom_metadata=SDK)], custom_metadata=SDK)
    for address in ("/api/v1/runs", f"/api/v1/runs/{run_id}/items"):
        answer = ada.get(address, params={"custom_metadata": path})
        assert answer.status_code == 422, (answer.status_code, answer.text)
        (fault,) = answer.json()["detail"]
        assert fault["loc"] == ["query", "custom_metadata"]


def test_a_filter_has_at_most_1000_characters(ada: Person) -> None:
    assert ada.get("/api/v1/runs", params={"custom_metadata": "$." + "a" * 998}).status_code == 200
    assert ada.get("/api/v1/runs", params={"custom_metadata": "$." + "a" * 999}).status_code == 422


def test_a_slow_filter_is_stopped(ada: Person) -> None:
    numbers = list(range(3000))
    ada.submit("a", custom_metadata={"a": numbers})
    slow = "$.a[*] ? (exists ($.a[*] ? (exists ($.a[*] ? (@ == -1)))))"
    answer = ada.get("/api/v1/runs", params={"custom_metadata": slow}, headers={"Accept": "application/problem+json"})
    assert (answer.status_code, answer.json()["code"]) == (422, "FILTER.TOO_SLOW")
    assert "500 ms" in answer.json()["detail"]


def test_the_filters_role_can_only_read(ada: Person) -> None:
    """Whatever a filter did, it could change nothing; see also the tests of the database's walls."""
    run_id = ada.submit("a", custom_metadata={"a": 1})
    ada.get("/api/v1/runs", params={"custom_metadata": "$.a"}).raise_for_status()
    assert ada.run(run_id)["custom_metadata"] == {"a": 1}
