"""Bucket keys: made once, told to their holder, exchanged and revoked."""

import re
from typing import Any

from coverslip.service.access.principal import Role
from coverslip.service.buckets.rules import bucket_name
from harness.people import Person
from harness.service import TestService, at_once

KEYS = "/api/coverslip/v1/bucket-keys"


def key_of(person: Person) -> tuple[str, str]:
    organization: dict[str, Any] = person.get("/api/v1/me").raise_for_status().json()["organization"]
    return (
        organization["aignostics_bucket_hmac_access_key_id"],
        organization["aignostics_bucket_hmac_secret_access_key"],
    )


def test_everybody_who_asks_at_once_gets_the_same_key(service: TestService) -> None:
    ada = service.member()
    assert len(set(at_once([lambda: key_of(ada) for _ in range(8)]))) == 1
    assert len(service.database.rows("select * from bucket_key")) == 1


def test_keys_are_of_one_user_in_one_organization(service: TestService) -> None:
    organization = service.organization()
    people = [service.person(organization), service.person(organization), service.member()]
    assert len({key_of(person) for person in people}) == 3
    names = [person.get("/api/v1/me").json()["organization"]["aignostics_bucket_name"] for person in people]
    assert names[0] == names[1] != names[2]


def test_names_of_buckets_are_good_for_hosts() -> None:
    for organization_id in ("org_0123456789abcdef", "Ünïcode / space", ""):
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", bucket_name(organization_id))
    assert bucket_name("org_1") == bucket_name("org_1") != bucket_name("org_2")


def test_secrets_are_encrypted_where_they_are_kept(service: TestService) -> None:
    _, secret = key_of(service.member())
    (row,) = service.database.rows("select secret_encrypted from bucket_key")
    assert secret.encode() not in bytes(row.secret_encrypted)


def test_rotation(service: TestService) -> None:
    ada = service.member()
    old = key_of(ada)
    new = ada.post(f"{KEYS}/rotate").raise_for_status().json()
    assert key_of(ada) == (new["access_key_id"], new["secret_access_key"]) != old
    listed = ada.get(KEYS).json()
    assert [(key["access_key_id"], key["revoked_at"] is None) for key in listed] == [
        (new["access_key_id"], True),
        (old[0], False),
    ]
    actions = [row.action for row in service.database.rows("select action from audit_entry order by number")]
    assert actions == ["bucket_key.created", "bucket_key.revoked", "bucket_key.created"]


def test_rotations_at_once_leave_one_key(service: TestService) -> None:
    ada = service.member()
    at_once([lambda: ada.post(f"{KEYS}/rotate").raise_for_status() for _ in range(6)])
    assert len(service.database.rows("select * from bucket_key where revoked_at is null")) == 1


def test_who_may_revoke(service: TestService) -> None:
    organization = service.organization()
    ada, bob = service.person(organization), service.person(organization)
    key, _ = key_of(ada)
    for other in (bob, service.member(), service.person(service.organization(), Role.ADMIN)):
        assert other.delete(f"{KEYS}/{key}").status_code == 404
        assert key not in other.get(KEYS).text
    assert service.person(organization, Role.ADMIN).delete(f"{KEYS}/{key}").status_code == 204
    assert ada.delete(f"{KEYS}/{key}").status_code == 404, "revoked before"
    assert key_of(ada)[0] != key
