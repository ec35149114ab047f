"""The whole service with its objects in a bucket."""

import random
from collections.abc import Iterator

import httpx
import pytest

from harness.database import TestDatabase
from harness.people import item_request
from harness.s3 import S3Server
from harness.service import TestService
from harness.worker import ARTIFACTS, crc32c

CONTENT = random.Random(2).randbytes(150_000)
NAME = next(iter(ARTIFACTS))


@pytest.fixture(scope="module")
def on_s3(postgres: TestDatabase, server: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestService]:
    with TestService(postgres, tmp_path_factory.mktemp("unused"), **server.variables("service")) as service:
        service.clear()
        yield service


def test_a_slide_is_uploaded_analysed_and_its_result_downloaded(on_s3: TestService, server: S3Server) -> None:
    ada = on_s3.member()
    url = ada.upload("slide 1.svs", CONTENT)
    assert url.startswith(server.endpoint)
    (path, content), *rest = server.objects("service").items()
    assert (path.startswith("inputs/"), content, rest) == (True, CONTENT, [])
    run_id = ada.submit(items=[item_request("a", url=url)])

    held = on_s3.worker().must_lease()
    assert httpx.get(held.lease["inputs"][0]["download_url"]).content == CONTENT
    upload_url = held.sign(NAME, b"result").json()["upload_url"]
    httpx.put(upload_url, content=b"damage").raise_for_status()
    assert held.publish(NAME, b"result").status_code == 409, "as long, but with another checksum"
    httpx.put(upload_url, content=b"result").raise_for_status()
    held.succeed()
    assert ada.get(f"/api/v1/runs/{run_id}").json()["state"] == "TERMINATED"
    (item,) = ada.get(f"/api/v1/runs/{run_id}/items").json()
    artifact = next(found for found in item["output_artifacts"] if found["name"] == NAME)
    got = ada.get(f"/api/v1/runs/{run_id}/artifacts/{artifact['output_artifact_id']}/file")
    assert got.status_code == 307
    assert httpx.get(got.headers["Location"]).headers["Content-Type"] == ARTIFACTS[NAME]["media_type"]


def test_damaged_parts_never_become_a_slide(on_s3: TestService, server: S3Server) -> None:
    ada = on_s3.member()
    announced = {"name": "slide.svs", "size_bytes": len(CONTENT), "checksum_base64_crc32c": crc32c(CONTENT)}
    upload = ada.post("/api/coverslip/v1/uploads", json=announced).json()
    for part in upload["missing_parts"]:
        piece = CONTENT[::-1][part["offset_bytes"] :][: part["size_bytes"]]
        signing = f"/api/coverslip/v1/uploads/{upload['upload_id']}/parts/{part['number']}"
        url = ada.post(signing, json={"checksum_base64_crc32c": crc32c(piece)}).json()["upload_url"]
        httpx.put(url, content=piece).raise_for_status()
    before = server.objects("service")
    refused = ada.post(f"/api/coverslip/v1/uploads/{upload['upload_id']}/complete")
    assert refused.status_code == 400
    after = server.objects("service")
    assert {path for path in before if path not in after} == {path for path in before if path.startswith("parts/")}
    assert set(after) <= set(before)
    assert httpx.get(upload["download_url"]).status_code == 404


def test_what_the_service_does_not_serve_is_not_there(on_s3: TestService) -> None:
    assert on_s3.http.get("/store/inputs/a").status_code == 404
