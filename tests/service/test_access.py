"""Two organizations, every role, every route: who sees and who may change whose runs and objects."""

from dataclasses import dataclass
from uuid import UUID

import pytest

from coverslip.service.access.principal import Role
from coverslip.service.access.rules import may_change_run, readable_runs
from harness.people import CHECKSUM, Person, item_path, run_request
from harness.service import TestService


@dataclass
class World:
    """A run of Ada, a member of the first organization, and everybody who may want something of it."""

    people: dict[str, Person]
    run_id: str
    finished_id: str
    artifact_id: str
    object_url: str


READERS = {"submitter", "own_admin", "own_super_admin", "other_super_admin"}
"""DESIGN, who may read a run: its submitter, admins of its organization, super administrators; nobody else."""


@pytest.fixture
def world(service: TestService) -> World:
    here, there = service.organization(), service.organization()
    people = {"submitter": service.person(here)}
    for place, organization in (("own", here), ("other", there)):
        for role in Role:
            people[f"{place}_{role}"] = service.person(organization, role)
    ada = people["submitter"]
    finished_id = ada.submit("slide/1")
    service.worker().finish_all()
    artifact_id = ada.items(finished_id)[0]["output_artifacts"][0]["output_artifact_id"]
    return World(people, ada.submit("slide/1"), finished_id, artifact_id, ada.upload("s.svs", b"abc"))


WHO = ["submitter", *(f"{place}_{role}" for place in ("own", "other") for role in Role)]


@pytest.mark.parametrize("who", WHO)
def test_reading(world: World, who: str) -> None:
    person = world.people[who]
    expected = 200 if who in READERS else 404
    for path in (
        f"/api/v1/runs/{world.run_id}",
        f"/api/v1/runs/{world.run_id}/items",
        f"/api/v1/runs/{world.run_id}/items?custom_metadata=$.a",
        item_path(world.run_id, "slide/1"),
        f"/api/coverslip/v1/runs/{world.run_id}/progress",
        f"/api/coverslip/v1/runs/{world.run_id}/events",
    ):
        assert person.get(path).status_code == expected, path
    file = person.get(f"/api/v1/runs/{world.finished_id}/artifacts/{world.artifact_id}/file")
    assert file.status_code == (307 if who in READERS else 404)
    # An artifact of one run is not to be found under another.
    assert person.get(f"/api/v1/runs/{world.run_id}/artifacts/{world.artifact_id}/file").status_code == 404


@pytest.mark.parametrize("who", WHO)
def test_the_input_url_is_shown_to_its_submitter_only(world: World, who: str) -> None:
    if who in READERS:
        shown = world.people[who].items(world.run_id)[0]["input_artifacts"][0]["download_url"]
        assert (shown is not None) == (who == "submitter")


@pytest.mark.parametrize("who", WHO)
def test_changing(world: World, who: str) -> None:
    person = world.people[who]
    may = who in READERS
    body = {"custom_metadata": {"by": who}}
    run = f"/api/v1/runs/{world.run_id}"
    assert person.put(f"{run}/custom-metadata", json=body).status_code == (200 if may else 404)
    path = f"{item_path(world.run_id, 'slide/1')}/custom-metadata"
    assert person.put(path, json=body).status_code == (200 if may else 404)
    assert person.post(f"{run}/cancel").status_code == (202 if may else 404)
    deleted = person.delete(f"/api/v1/runs/{world.finished_id}/artifacts")
    assert deleted.status_code == (200 if may else 404)
    seen = world.people["submitter"].run(world.run_id)
    assert seen["custom_metadata"] == (body["custom_metadata"] if may else None)
    assert (seen["state"] == "TERMINATED") == may


@pytest.mark.parametrize("who", WHO)
def test_lists_show_only_ones_own(world: World, who: str) -> None:
    person = world.people[who]
    own = [world.run_id, world.finished_id] if who == "submitter" else []
    assert [run["run_id"] for run in person.get("/api/v1/runs").raise_for_status().json()] == own
    for narrow in ("external_id=slide/1", "organization_id=my_org", "submitted_by=me", "custom_metadata=$"):
        found = person.get(f"/api/v1/runs?{narrow}").raise_for_status().json()
        assert {run["run_id"] for run in found} <= set(own)


@pytest.mark.parametrize("who", WHO)
def test_an_organization_is_listed_by_its_administrators(world: World, who: str) -> None:
    person = world.people[who]
    organization = world.people["submitter"].organization_id
    listed = person.get("/api/v1/runs", params={"for_organization": organization})
    if who in READERS - {"submitter"}:
        assert {run["run_id"] for run in listed.json()} == {world.run_id, world.finished_id}
    else:
        assert listed.status_code == 403


@pytest.mark.parametrize("who", WHO)
def test_slides_may_be_used_within_their_organization(world: World, who: str) -> None:
    request = run_request()
    request["items"][0]["input_artifacts"][0]["download_url"] = world.object_url
    answer = world.people[who].post("/api/v1/runs", json=request)
    ours = world.people[who].organization_id == world.people["submitter"].organization_id
    assert answer.status_code == (201 if ours else 400), answer.text


def test_objects_belong_to_whoever_announced_them(world: World) -> None:
    request = {"name": "s.svs", "size_bytes": 3, "checksum_base64_crc32c": CHECKSUM}
    keys = {
        person.post("/api/coverslip/v1/uploads", json=request).json()["object_key"]: person
        for person in world.people.values()
    }
    assert len(keys) == len(world.people)
    for key, person in keys.items():
        assert key.startswith(f"{person.organization_id}/{person.user_id}/")


def test_an_upload_is_its_users_alone(world: World) -> None:
    ada = world.people["submitter"]
    announced = {"name": "new.svs", "size_bytes": 3, "checksum_base64_crc32c": CHECKSUM}
    upload = ada.post("/api/coverslip/v1/uploads", json=announced).json()
    path = f"/api/coverslip/v1/uploads/{upload['upload_id']}"
    (key,) = [each["object_key"] for each in ada.get("/api/coverslip/v1/objects").json()]
    for who, person in world.people.items():
        if person is ada:
            continue
        answers = [
            person.get(path),
            person.post(f"{path}/parts/1", json={"checksum_base64_crc32c": CHECKSUM}),
            person.post(f"{path}/complete"),
            person.delete(path),
            person.delete(f"/api/coverslip/v1/objects/{key}"),
        ]
        assert [answer.status_code for answer in answers] == [404] * 5, who
        assert person.get("/api/coverslip/v1/objects").json() == []
    assert ada.get(path).status_code == 200


def test_a_disabled_user_and_one_who_left_are_shut_out_at_once(service: TestService, world: World) -> None:
    disabled, left = world.people["submitter"], world.people["own_admin"]
    service.database.rows("update user_account set disabled_at = now() where id = %s", disabled.user_id)
    service.database.rows("delete from membership where user_id = %s", left.user_id)
    for person in (disabled, left):
        assert person.get("/api/v1/me").status_code == 401
        assert person.get(f"/api/v1/runs/{world.run_id}").status_code == 401


def test_a_role_counts_as_it_is_now_not_as_the_token_says(service: TestService, world: World) -> None:
    admin = world.people["own_admin"]
    service.database.rows("update membership set role = 'member' where user_id = %s", admin.user_id)
    assert admin.get(f"/api/v1/runs/{world.run_id}").status_code == 404


def test_unknown_runs_are_not_found_and_no_uuids_are_not_valid(world: World) -> None:
    ada = world.people["submitter"]
    for unknown in (UUID(int=0).hex, str(UUID(int=1))):
        assert ada.get(f"/api/v1/runs/{unknown}").status_code == 404
        assert ada.post(f"/api/v1/runs/{unknown}/cancel").status_code == 404
        assert ada.delete(f"/api/v1/runs/{unknown}/artifacts").status_code == 404
    assert ada.get("/api/v1/runs/4711").status_code == 422
    assert ada.post("/api/v1/runs/4711/cancel").status_code == 422
    assert ada.get(item_path(world.run_id, "no such slide")).status_code == 404


def test_the_rules_agree_that_whoever_may_change_a_run_may_read_it() -> None:
    from coverslip.service.access.principal import Principal
    from coverslip.service.access.rules import AllRuns, OrganizationRuns, OwnRuns

    for role in Role:
        for organization in ("here", "there"):
            for user in ("ada", "bob"):
                caller = Principal(user, organization, role)
                match readable_runs(caller):
                    case AllRuns():
                        reads = True
                    case OrganizationRuns(seen):
                        reads = seen == "here"
                    case OwnRuns(seen, owner):
                        reads = (seen, owner) == ("here", "ada")
                assert may_change_run(caller, organization_id="here", submitted_by="ada") == reads
