"""Uploads in parts, over HTTP, and what becomes of them."""

import random
import socket
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from coverslip.service.storage.directory import DirectoryStore
from coverslip.service.storage.errors import StoreUnavailable
from harness.people import Person, item_request, run_request
from harness.service import TestService, at_once
from harness.worker import TLS, crc32c

UPLOADS = "/api/coverslip/v1/uploads"
OBJECTS = "/api/coverslip/v1/objects"
CONTENT = random.Random(1).randbytes(200_000)
PART_BYTES = 65_536


@pytest.fixture
def ada(service: TestService) -> Person:
    return service.member()


def announce(person: Person, content: bytes = CONTENT, name: str = "a/slide 1.svs") -> Any:
    announced = {"name": name, "size_bytes": len(content), "checksum_base64_crc32c": crc32c(content)}
    response = person.post(UPLOADS, json=announced)
    assert response.status_code == 201, response.text
    return response.json()


def sign(person: Person, upload: Any, number: int, piece: bytes) -> httpx.Response:
    body = {"checksum_base64_crc32c": crc32c(piece)}
    return person.post(f"{UPLOADS}/{upload['upload_id']}/parts/{number}", json=body)


def send(person: Person, upload: Any, content: bytes = CONTENT, only: set[int] | None = None) -> None:
    for part in upload["missing_parts"]:
        if only is None or part["number"] in only:
            piece = content[part["offset_bytes"] :][: part["size_bytes"]]
            url = sign(person, upload, part["number"], piece).json()["upload_url"]
            assert httpx.put(url, content=piece, verify=TLS).status_code == 200


def complete(person: Person, upload: Any) -> httpx.Response:
    return person.post(f"{UPLOADS}/{upload['upload_id']}/complete")


def test_a_file_arrives_in_parts(service: TestService, ada: Person) -> None:
    upload = announce(ada)
    assert [part["number"] for part in upload["missing_parts"]] == [1, 2, 3, 4]
    assert sum(part["size_bytes"] for part in upload["missing_parts"]) == len(CONTENT)
    send(ada, upload)
    done = complete(ada, upload).json()
    assert done["complete"]
    assert done["missing_parts"] == []
    assert service.http.get(done["download_url"]).content == CONTENT
    assert service.objects("parts") == []
    (listed,) = ada.get(OBJECTS).json()
    assert (listed["object_key"], listed["size_bytes"]) == (done["object_key"], len(CONTENT))
    assert complete(ada, upload).json()["complete"], "completing it again changes nothing"


def test_announced_again_it_goes_on_where_it_stopped(ada: Person) -> None:
    first = announce(ada)
    send(ada, first, only={1, 3})
    again = announce(ada)
    assert again["upload_id"] == first["upload_id"]
    assert [part["number"] for part in again["missing_parts"]] == [2, 4]
    assert ada.get(f"{UPLOADS}/{first['upload_id']}").json()["missing_parts"] == again["missing_parts"]
    refused = complete(ada, first)
    assert refused.status_code == 409
    assert "2, 4" in refused.json()["detail"]
    send(ada, again)
    assert complete(ada, again).json()["complete"]
    assert announce(ada)["complete"], "what is there need not be sent"


def test_an_empty_file_has_one_part(service: TestService, ada: Person) -> None:
    upload = announce(ada, b"")
    assert len(upload["missing_parts"]) == 1
    send(ada, upload, b"")
    assert service.http.get(complete(ada, upload).json()["download_url"]).content == b""


def test_parts_of_another_file_are_refused_as_a_whole(service: TestService, ada: Person) -> None:
    upload = announce(ada)
    send(ada, upload, CONTENT[::-1])
    refused = complete(ada, upload)
    assert refused.status_code == 400
    assert service.objects("parts") == service.objects("inputs") == []
    send(ada, announce(ada))
    assert complete(ada, upload).status_code == 200


def test_a_damaged_part_is_refused_and_sent_again(ada: Person) -> None:
    upload = announce(ada)
    piece = CONTENT[:PART_BYTES]
    url = sign(ada, upload, 1, piece).json()["upload_url"]
    assert httpx.put(url, content=b"x" + piece[1:], verify=TLS).status_code == 400
    assert len(announce(ada)["missing_parts"]) == 4
    send(ada, upload)
    assert complete(ada, upload).status_code == 200


def test_a_part_whose_connection_is_cut_is_sent_again(service: TestService, ada: Person) -> None:
    upload = announce(ada)
    send(ada, upload, only={1, 3})
    url = urlsplit(sign(ada, upload, 2, CONTENT[PART_BYTES : 2 * PART_BYTES]).json()["upload_url"])
    with socket.create_connection((url.hostname, url.port)) as raw:
        head = f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: x\r\nContent-Length: {PART_BYTES}\r\n\r\n"
        raw.sendall(head.encode() + b"x" * 1000)
    again = announce(ada)
    assert [part["number"] for part in again["missing_parts"]] == [2, 4]
    send(ada, again)
    assert service.http.get(complete(ada, again).json()["download_url"]).content == CONTENT


def test_parts_of_an_earlier_version_are_sent_again(service: TestService, ada: Person) -> None:
    """It kept each part in a file of its own."""
    upload = announce(ada)
    folder = service.store_folder / "parts" / ada.organization_id / upload["upload_id"]
    folder.mkdir(parents=True)
    (folder / "00002").write_bytes(CONTENT[PART_BYTES : 2 * PART_BYTES])
    send(ada, upload, only={1})
    again = announce(ada)
    assert [part["number"] for part in again["missing_parts"]] == [2, 3, 4]
    send(ada, again)
    assert complete(ada, again).json()["complete"]
    assert service.objects("parts") == []


def test_completed_by_several_at_once(service: TestService, ada: Person) -> None:
    upload = announce(ada)
    send(ada, upload)
    answers = at_once([lambda: complete(ada, upload)] * 4)
    assert [answer.status_code for answer in answers] == [200] * 4
    assert service.http.get(answers[0].json()["download_url"]).content == CONTENT
    assert service.objects("parts") == []


def test_an_upload_can_be_dropped(service: TestService, ada: Person) -> None:
    upload = announce(ada)
    send(ada, upload, only={1})
    assert ada.delete(f"{UPLOADS}/{upload['upload_id']}").status_code == 204
    assert service.objects("parts") == []
    assert ada.get(f"{UPLOADS}/{upload['upload_id']}").status_code == 404


def test_abandoned_uploads_are_swept(service: TestService, ada: Person) -> None:
    upload = announce(ada)
    send(ada, upload, only={1})
    service.sweep()
    assert service.objects("parts") != []
    service.database.rows("update upload set touched_at = touched_at - interval '8 days'")
    service.sweep()
    assert service.objects("parts") == []
    assert complete(ada, upload).status_code == 404


def test_others_see_none_of_it(service: TestService, ada: Person) -> None:
    upload = announce(ada)
    path = f"{UPLOADS}/{upload['upload_id']}"
    colleague = service.person(ada.organization_id)
    for person in (service.member(), colleague):
        assert person.get(path).status_code == 404
        assert sign(person, upload, 1, b"x").status_code == 404
        assert complete(person, upload).status_code == 404
        assert person.delete(path).status_code == 404
        assert announce(person)["upload_id"] != upload["upload_id"]


def test_there_are_no_other_parts(ada: Person) -> None:
    upload = announce(ada)
    for number in (0, 5, -1):
        assert sign(ada, upload, number, b"x").status_code == 404


def test_an_object_that_a_run_needs_cannot_be_deleted(service: TestService, ada: Person) -> None:
    url = ada.upload("slide.svs", CONTENT)
    (listed,) = ada.get(OBJECTS).json()
    run_id = ada.submit(items=[item_request("a", url=url)])
    assert ada.delete(f"{OBJECTS}/{listed['object_key']}").status_code == 409
    ada.post(f"/api/v1/runs/{run_id}/cancel")
    assert ada.delete(f"{OBJECTS}/{listed['object_key']}").status_code == 204
    assert ada.get(OBJECTS).json() == []
    assert service.objects("inputs") == []
    assert ada.delete(f"{OBJECTS}/{listed['object_key']}").status_code == 404


class TestKilled:
    """What a service leaves that was killed between the store and the database."""

    def submit(self, person: Person, upload: Any) -> int:
        return person.post(
            "/api/v1/runs", json=run_request(items=[item_request("s", url=upload["download_url"])])
        ).status_code

    def test_an_object_that_was_made_and_not_noted_is_completed_again(self, service: TestService, ada: Person) -> None:
        send(ada, announce(ada))
        complete(ada, announce(ada))
        service.database.rows("delete from bucket_object")
        again = announce(ada)
        assert (again["complete"], again["missing_parts"]) == (False, [])
        done = complete(ada, again)
        assert done.json()["complete"]
        assert self.submit(ada, done.json()) == 201

    def test_what_was_deleted_while_a_run_needs_it_can_be_uploaded_again(
        self, service: TestService, ada: Person
    ) -> None:
        send(ada, announce(ada))
        upload = complete(ada, announce(ada)).json()
        assert self.submit(ada, upload) == 201
        service.database.rows("update bucket_object set key = null")  # as a deletion by a client of S3 does
        again = announce(ada)
        assert (again["complete"], again["missing_parts"]) == (False, [])
        assert complete(ada, again).json()["complete"]
        assert self.submit(ada, again) == 201
        service.database.rows("update bucket_object set created_at = now() - interval '8 days'")
        service.sweep()
        assert len(service.objects("inputs")) == 1

    @pytest.mark.parametrize("killed", [True, False])
    def test_a_deletion_is_finished_by_the_sweep(
        self, service: TestService, ada: Person, monkeypatch: pytest.MonkeyPatch, killed: bool
    ) -> None:
        send(ada, announce(ada))
        upload = complete(ada, announce(ada)).json()
        with monkeypatch.context() as patch:
            if killed:
                patch.setattr(DirectoryStore, "delete", failing)
            assert ada.delete(f"{OBJECTS}/{upload['object_key']}").status_code == (503 if killed else 204)
        assert ada.get(OBJECTS).json() == []
        assert len(service.objects("inputs")) == killed
        service.database.rows("update bucket_object set created_at = now() - interval '8 days'")
        service.sweep()
        assert service.objects("inputs") == service.database.rows("select * from bucket_object") == []

    def test_dropped_parts_are_still_known(
        self, service: TestService, ada: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        upload = announce(ada)
        send(ada, upload, only={1})
        service.database.rows("update upload set touched_at = now() - interval '8 days'")
        with monkeypatch.context() as patch:
            patch.setattr(DirectoryStore, "delete", failing)
            service.sweep()
        assert service.objects("parts") != []
        service.sweep()
        assert service.objects("parts") == service.database.rows("select * from upload") == []


async def failing(*_: object) -> None:
    raise StoreUnavailable


def test_dropped_by_several_at_once(service: TestService, ada: Person) -> None:
    content = CONTENT * 10
    for _ in range(5):
        upload = announce(ada, content)
        send(ada, upload, content)
        answers = at_once([lambda path=f"{UPLOADS}/{upload['upload_id']}": ada.delete(path)] * 4)
        assert {answer.status_code for answer in answers} <= {204, 404}
        assert service.objects("parts") == []


def test_completed_and_deleted_at_once(service: TestService, ada: Person) -> None:
    """Whatever comes first: what the database knows is in the store, and nothing else is."""
    for _ in range(10):
        upload = announce(ada)
        send(ada, upload)
        object_key = complete(ada, upload).json()["object_key"]
        at_once([lambda: complete(ada, upload), lambda key=object_key: ada.delete(f"{OBJECTS}/{key}")])  # noqa: B023
        rows = service.database.rows("select path from bucket_object where key is not null")
        assert len(rows) == len(service.objects("inputs"))
