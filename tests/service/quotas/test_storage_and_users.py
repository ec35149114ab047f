"""The quotas of the bucket and of users."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from coverslip.service.access.principal import Role
from coverslip.service.database.scope import PlatformScope
from coverslip.service.identity import queries as identity
from coverslip.service.identity.rules import EMBEDDED_ISSUER
from coverslip.service.organizations.commands import add_member
from coverslip.service.quotas.errors import QuotaExceeded
from harness.people import Person
from harness.quotas import balances, exceeded, set_quotas
from harness.service import TestService, at_once

UPLOADS = "/api/coverslip/v1/uploads"
STORAGE = ("ORGANIZATION", "storage_bytes")


def announce(person: Person, name: str, size_bytes: int) -> httpx.Response:
    request = {"name": name, "size_bytes": size_bytes, "checksum_base64_crc32c": "AAAAAA=="}
    return person.post(UPLOADS, json=request)


def used(person: Person) -> Any:
    return balances(person)["organization"]["storage_bytes"]["used"]


class TestStorage:
    def test_objects_and_uploads_are_counted_once(self, operator: Person, ada: Person, bob: Person) -> None:
        set_quotas(operator, ada.organization_id, storage_bytes=10)
        ada.upload("a.svs", b"1234")
        assert used(bob) == 4, "complete, its upload is not counted any more"
        assert announce(bob, "b.svs", 5).status_code == 201
        assert used(ada) == 9
        assert exceeded(announce(ada, "c.svs", 2))[STORAGE]["used"] == 9
        assert announce(ada, "c.svs", 1).status_code == 201
        assert used(ada) == 10

    def test_what_is_there_already_is_never_refused(self, operator: Person, ada: Person) -> None:
        set_quotas(operator, ada.organization_id, storage_bytes=10)
        begun = announce(ada, "begun.svs", 6).json()["upload_id"]
        ada.upload("done.svs", b"1234")
        set_quotas(operator, ada.organization_id, storage_bytes=1)
        assert announce(ada, "begun.svs", 6).json()["upload_id"] == begun
        ada.upload("done.svs", b"1234")
        assert used(ada) == 10

    def test_dropped_and_deleted_it_makes_room(self, operator: Person, ada: Person) -> None:
        set_quotas(operator, ada.organization_id, storage_bytes=4)
        ada.upload("a.svs", b"1234")
        assert announce(ada, "b.svs", 1).status_code == 402
        (stored,) = ada.get("/api/coverslip/v1/objects").json()
        ada.delete(f"/api/coverslip/v1/objects/{stored['object_key']}").raise_for_status()
        begun = announce(ada, "b.svs", 4)
        assert begun.status_code == 201
        ada.delete(f"{UPLOADS}/{begun.json()['upload_id']}").raise_for_status()
        assert used(ada) == 0

    def test_of_twenty_at_once_three_get_through(self, operator: Person, ada: Person) -> None:
        set_quotas(operator, ada.organization_id, storage_bytes=3)
        answers = at_once([lambda number=number: announce(ada, f"{number}.svs", 1) for number in range(20)])
        assert sorted(answer.status_code for answer in answers) == [201] * 3 + [402] * 17

    def test_one_file_announced_at_once_takes_its_room_once(self, operator: Person, ada: Person) -> None:
        set_quotas(operator, ada.organization_id, storage_bytes=3)
        answers = at_once([lambda: announce(ada, "a.svs", 3)] * 8)
        assert {answer.status_code for answer in answers} == {201}
        assert used(ada) == 3

    def test_of_one_organization_only(self, service: TestService, operator: Person, ada: Person) -> None:
        set_quotas(operator, ada.organization_id, storage_bytes=0)
        assert announce(service.member(), "a.svs", 9).status_code == 201
        assert announce(ada, "a.svs", 1).status_code == 402
        assert announce(ada, "empty.svs", 0).status_code == 201


class TestUsers:
    @staticmethod
    def join(service: TestService, organization_id: str, user_id: str) -> None:
        async def work() -> None:
            async with service.context.database.transaction(PlatformScope()) as connection:
                await identity.insert_account(
                    connection,
                    user_id=user_id,
                    issuer=EMBEDDED_ISSUER,
                    email=f"{user_id}@example.org",
                    name="New",
                    password_hash=None,
                )
                await add_member(connection, user_id=user_id, organization_id=organization_id, role=Role.MEMBER)

        service.run(work())

    def test_no_more_than_the_quota(self, service: TestService, operator: Person, ada: Person) -> None:
        set_quotas(operator, ada.organization_id, users=2)
        self.join(service, ada.organization_id, "second")
        with pytest.raises(QuotaExceeded, match="quota of 2 users has no room for 1 more: 2 used"):
            self.join(service, ada.organization_id, "third")
        service.database.rows("update user_account set disabled_at = %s where id = 'second'", datetime.now(UTC))
        assert balances(ada)["organization"]["users"]["remaining"] == 1
        self.join(service, ada.organization_id, "third")

    def test_of_several_at_once_one_gets_in(self, service: TestService, operator: Person, ada: Person) -> None:
        set_quotas(operator, ada.organization_id, users=2)

        def try_to_join(number: int) -> bool:
            try:
                self.join(service, ada.organization_id, f"user-{number}")
            except QuotaExceeded:
                return False
            return True

        assert sum(at_once([lambda number=number: try_to_join(number) for number in range(8)])) == 1
