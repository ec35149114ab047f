"""Two organizations, every role, every route: nobody reads, changes or guesses what is another's.

The routes are read from the documents of the APIs, so a route that nobody thought of here makes a test fail.
"""

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pytest

from coverslip.contract.identity import ONE_TIME_LINK_GRANT
from coverslip.service.access.principal import Role
from coverslip.service.app import api_v1, extension_api
from coverslip.service.identity.commands import new_link
from coverslip.service.legacy.api import legacy_api
from harness.openapi import operations
from harness.people import Person, grant_request, item_request
from harness.service import TestService

MARK = "confidential"
"""In everything that the victim names; an answer to anybody else that holds it is a leak."""

DOCUMENTS = {"/api": api_v1, "/api/coverslip/v1": extension_api, "/legacy/api": legacy_api}

OPERATIONS = {
    f"{prefix} {operation_id}": (*place.split(" ", 1), prefix)
    for prefix, document in DOCUMENTS.items()
    for operation_id, (place, _) in operations(document().openapi()).items()
}

FOR_EVERYBODY = re.compile(r"/v1/(applications.*|me)|^/(quotas|usage)$")
"""The catalogue, who one is, and what one may still do and has done."""

CREATES = {
    "/api create_run_v1_runs_post",
    "/api create_share_token_v1_access_share_tokens_post",
    "/api/coverslip/v1 begin_upload",
    "/api/coverslip/v1 rotate_bucket_key",
    "/api/coverslip/v1 create_webhook",
    "/api/coverslip/v1 add_session",
    "/legacy/api create_application_run_v1_runs_post",
}
"""These make something of the caller's own, and name nothing of anybody else's."""

METADATA = {"custom_metadata": {"stolen": True}}
CHECKSUM = {"checksum_base64_crc32c": "AAAAAA=="}

BODIES: dict[str, Any] = {
    "put_run_custom_metadata_v1_runs__run_id__custom_metadata_put": METADATA,
    "put_item_custom_metadata_by_run_v1_runs__run_id__items__external_id__custom_metadata_put": METADATA,
    "sign_part": CHECKSUM,
    "change_webhook": {"enabled": False},
    "set_organization_quotas": {"users": 1},
    "set_scheduling_policy": {"weight": 2},
    "set_user_quotas": {"parallel_runs": 1},
    "set_prices": {"prices": []},
}


@dataclass
class Victim:
    """Everything that a member of one organization has, and its ids as they stand in paths."""

    person: Person
    ids: dict[str, str]
    share_token: str
    slide_url: str

    def state(self) -> dict[str, Any]:
        """All of it as its owner sees it, without what is signed anew in every answer."""
        reads = (
            "/api/v1/runs",
            f"/api/v1/runs/{self.ids['run_id']}/items",
            "/api/v1/access/grants",
            "/api/v1/access/share-tokens",
            "/api/coverslip/v1/objects",
            f"/api/coverslip/v1/uploads/{self.ids['upload_id']}",
            "/api/coverslip/v1/bucket-keys",
            "/api/coverslip/v1/webhooks",
            "/api/coverslip/v1/sessions",
            "/api/coverslip/v1/quotas",
            "/api/coverslip/v1/usage",
        )
        shown = {}
        for path in reads:
            answer = self.person.get(path)
            assert answer.status_code == 200, (path, answer.text)
            shown[path] = re.sub(r'"(download_url|last_used_at)":"[^"]*"', "", answer.text)
        return shown


@dataclass
class World:
    victim: Victim
    strangers: dict[str, Person] = field(default_factory=dict)


@pytest.fixture(scope="module")
def world(running_service: Any) -> World:
    service: TestService = running_service
    service.clear()
    organization = service.organization()
    ada = service.person(organization)
    hook = {"url": f"https://{MARK}.example/hook"}
    webhook = ada.post("/api/coverslip/v1/webhooks", json=hook).raise_for_status().json()
    run_id = ada.submit(f"{MARK} slide", custom_metadata={"study": MARK})
    service.worker().finish_all()
    (item,) = ada.items(run_id)
    announced = {"name": f"{MARK}.svs", "size_bytes": 10} | CHECKSUM
    upload = ada.post("/api/coverslip/v1/uploads", json=announced).raise_for_status().json()
    slide_url = ada.upload(f"{MARK}-done.svs", b"slide")
    (stored,) = ada.get("/api/coverslip/v1/objects").raise_for_status().json()
    friend = service.person(organization)
    grant = grant_request("run", run_id, "user", friend.user_id)
    granted = ada.post("/api/v1/access/grants", json=grant).raise_for_status().json()
    token = ada.post("/api/v1/access/share-tokens", json={}).raise_for_status().json()
    key = ada.get("/api/v1/me").json()["organization"]["aignostics_bucket_hmac_access_key_id"]
    deliveries = ada.get(f"/api/coverslip/v1/webhooks/{webhook['webhook_id']}/deliveries").json()
    secret = service.run(new_link(service.context.database, email=ada.email, only_first=False))
    form = {"grant_type": ONE_TIME_LINK_GRANT, "client_id": "coverslip-cli", "link_secret": secret}
    service.http.post("/oauth/token", data=form).raise_for_status()
    (session,) = ada.get("/api/coverslip/v1/sessions").json()
    ids = {
        "run_id": run_id,
        "application_run_id": run_id,
        "external_id": f"{MARK} slide",
        "item_id": item["item_id"],
        "artifact_id": item["output_artifacts"][0]["output_artifact_id"],
        "grant_id": granted["grant_id"],
        "share_token_id": token["share_token_id"],
        "upload_id": upload["upload_id"],
        "number": "1",
        "object_key": stored["object_key"],
        "access_key_id": key,
        "webhook_id": webhook["webhook_id"],
        "delivery_id": deliveries[0]["delivery_id"],
        "session_id": session["session_id"],
        "organization_id": organization,
        "user_id": ada.user_id,
    }
    victim = Victim(ada, ids, token["share_token"], slide_url)
    other = service.organization()
    return World(
        victim,
        {
            "a colleague": service.person(organization),
            "a member elsewhere": service.person(other),
            "an administrator elsewhere": service.person(other, Role.ADMIN),
        },
    )


def attack(world: World, stranger: Person, name: str) -> Any:
    """Ask for the victim's things at one route."""
    method, path, prefix = OPERATIONS[name]
    for parameter in re.findall(r"\{(\w+)\}", path):
        path = path.replace(f"{{{parameter}}}", quote(world.victim.ids[parameter], safe=""))
    body = BODIES.get(name.rpartition(" ")[2])
    if name.endswith("create_grant_v1_access_grants_post"):
        body = grant_request("run", world.victim.ids["run_id"], "user", stranger.user_id)
    return stranger.request(method, prefix + path, json=body)


@pytest.mark.parametrize("who", ["a colleague", "a member elsewhere", "an administrator elsewhere"])
@pytest.mark.parametrize("name", [name for name, (_, path, _) in OPERATIONS.items() if not FOR_EVERYBODY.search(path)])
def test_a_stranger_gets_nothing_and_changes_nothing(world: World, name: str, who: str) -> None:
    if name in CREATES:
        return
    before = world.victim.state()
    answer = attack(world, world.strangers[who], name)
    _, path, _ = OPERATIONS[name]
    if who == "a colleague" and path.startswith("/organizations/"):
        assert answer.status_code == 403, "it is their organization, but not theirs to administer"
    elif "{" in path or name.endswith("create_grant_v1_access_grants_post"):
        assert answer.status_code == 404, answer.text
    else:
        assert answer.status_code == 200, answer.text
        assert answer.json() == [], "lists show what is one's own"
    assert MARK not in answer.text
    assert world.victim.ids["run_id"] not in answer.text
    assert world.victim.state() == before


@pytest.mark.parametrize("name", OPERATIONS)
def test_nobody_is_served_without_a_token(world: World, running_service: Any, name: str) -> None:
    method, path, prefix = OPERATIONS[name]
    for parameter in re.findall(r"\{(\w+)\}", path):
        known = world.victim.ids | {"application_id": "test-app", "version": "1.0.0", "name": "x"}
        path = path.replace(f"{{{parameter}}}", quote(known[parameter], safe=""))
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp4"}):
        answer = running_service.http.request(method, prefix + path, headers=headers)
        assert answer.status_code == 401, answer.text
        assert MARK not in answer.text


@pytest.mark.parametrize("name", [name for name in OPERATIONS if "run_id" in OPERATIONS[name][1]])
def test_another_organizations_administrator_learns_as_much_as_from_a_run_that_is_not_there(
    world: World, name: str
) -> None:
    stranger = world.strangers["an administrator elsewhere"]
    method, path, prefix = OPERATIONS[name]

    def ask(run_id: str) -> Any:
        filled = re.sub(r"\{(application_)?run_id\}", run_id, path)
        for parameter in re.findall(r"\{(\w+)\}", filled):
            filled = filled.replace(f"{{{parameter}}}", quote(world.victim.ids[parameter], safe=""))
        answer = stranger.request(method, prefix + filled, json=BODIES.get(name.rpartition(" ")[2]))
        return answer.status_code, answer.json()

    assert ask(world.victim.ids["run_id"]) == ask("11111111-2222-4333-8444-555555555555")


@pytest.mark.parametrize(
    "query",
    [
        "submitted_by={person.user_id}",
        "organization_id={person.organization_id}",
        "submitted_by={person.user_id}&organization_id={person.organization_id}",
        f"external_id={MARK}%20slide",
        f"custom_metadata=$.study%20?%20(@%20==%20%22{MARK}%22)",
        "custom_metadata=$",
        "application_id=test-app",
    ],
)
def test_no_filter_reaches_over_the_wall(world: World, query: str) -> None:
    asked = query.format(person=world.victim.person)
    assert len(world.victim.person.get(f"/api/v1/runs?{asked}").json()) == 1
    for stranger in world.strangers.values():
        assert stranger.get(f"/api/v1/runs?{asked}").json() == []


def test_only_administrators_list_an_organization_and_only_their_own(world: World) -> None:
    path = f"/api/v1/runs?for_organization={world.victim.person.organization_id}"
    for stranger in world.strangers.values():
        answer = stranger.get(path)
        assert answer.status_code == 403
        assert MARK not in answer.text


def test_a_share_token_opens_nothing_that_was_not_shared_with_it(world: World) -> None:
    # The victim's token was never granted anything.
    run = f"/api/v1/runs/{world.victim.ids['run_id']}"
    file = f"{run}/artifacts/{world.victim.ids['artifact_id']}/file"
    for stranger in world.strangers.values():
        for path in (run, f"{run}/items", file):
            for token in (world.victim.share_token, "made-up", ""):
                assert stranger.get(path, params={"share_token": token}).status_code == 404


def test_what_a_viewer_sees_they_cannot_change(world: World, running_service: Any) -> None:
    ada, run_id = world.victim.person, world.victim.ids["run_id"]
    viewer = running_service.member()
    grant = grant_request("run", run_id, "user", viewer.user_id)
    ada.post("/api/v1/access/grants", json=grant).raise_for_status()
    assert viewer.get(f"/api/v1/runs/{run_id}").json()["custom_metadata"] == {"study": MARK}
    before = world.victim.state()
    for name, (method, path, _) in OPERATIONS.items():
        if method != "GET" and "run_id}" in path:
            assert attack(world, viewer, name).status_code == 403, name
    shared_on = grant_request("run", run_id, "user", "somebody")
    assert viewer.post("/api/v1/access/grants", json=shared_on).status_code == 403
    # Where a slide came from is between its submitter and the platform.
    inputs = [
        artifact for item in viewer.get(f"/api/v1/runs/{run_id}/items").json() for artifact in item["input_artifacts"]
    ]
    assert {artifact["download_url"] for artifact in inputs} == {None}
    assert world.victim.state() == before


def test_a_run_cannot_be_made_of_another_organizations_slide(world: World) -> None:
    for who, stranger in world.strangers.items():
        items = [item_request("s", url=world.victim.slide_url)]
        answer = stranger.post("/api/v1/runs", json={"application_id": "test-app", "items": items})
        # Slides belong to the organization, so a colleague may.
        assert answer.status_code == (201 if who == "a colleague" else 400), answer.text
