"""The whole service with its objects in a bucket."""

import random
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from harness.database import TestDatabase
from harness.gcs import GcsServer
from harness.people import item_request
from harness.s3 import S3Server
from harness.service import TestService
from harness.worker import ARTIFACTS, crc32c

CONTENT = random.Random(2).randbytes(150_000)
NAME = next(iter(ARTIFACTS))


@pytest.fixture(scope="module", params=["server", "gcs"])
def bucket(request: pytest.FixtureRequest) -> S3Server | GcsServer:
    """A bucket of S3, or of Google Cloud Storage."""
    server: S3Server | GcsServer = request.getfixturevalue(request.param)
    return server


@pytest.fixture(scope="module")
def on_bucket(
    postgres: TestDatabase, bucket: S3Server | GcsServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestService]:
    with TestService(postgres, tmp_path_factory.mktemp("unused"), **bucket.variables("service")) as service:
        service.clear()
        yield service


def test_a_slide_is_uploaded_analysed_and_its_result_downloaded(
    on_bucket: TestService, bucket: S3Server | GcsServer
) -> None:
    ada = on_bucket.member()
    url = ada.upload("slide 1.svs", CONTENT)
    assert url.startswith(bucket.endpoint)
    kept = bucket.objects("service").items()
    (path, content), *rest = (found for found in kept if not found[0].startswith("documents/"))
    assert (path.startswith("inputs/"), content, rest) == (True, CONTENT, [])
    run_id = ada.submit(items=[item_request("a", url=url)])

    held = on_bucket.worker().must_lease()
    assert httpx.get(held.lease["inputs"][0]["download_url"]).content == CONTENT
    upload_url = held.sign(NAME, b"result").json()["upload_url"]
    httpx.put(upload_url, content=b"damage").raise_for_status()
    assert held.publish(NAME, b"result").status_code == 409, "as long, but with another checksum"
    httpx.put(upload_url, content=b"result").raise_for_status()
    held.publish(NAME, b"result").raise_for_status()
    httpx.put(upload_url, content=b"latest").raise_for_status()
    held.succeed()
    assert ada.get(f"/api/v1/runs/{run_id}").json()["state"] == "TERMINATED"
    (item,) = ada.get(f"/api/v1/runs/{run_id}/items").json()
    artifact = next(found for found in item["output_artifacts"] if found["name"] == NAME)
    got = ada.get(f"/api/v1/runs/{run_id}/artifacts/{artifact['output_artifact_id']}/file")
    assert got.status_code == 307
    location = got.headers["Location"]
    assert httpx.get(location).content == b"result", "what was uploaded late touches nothing that is published"
    assert parse_qs(urlsplit(location).query)["response-content-type"] == [ARTIFACTS[NAME]["media_type"]]
    on_bucket.sweep_leftovers()
    left = {path for path in bucket.objects("service") if path.startswith(("parts/", "results/"))}
    assert {path.partition("/")[0] for path in left} == {"results"}
    assert len(left) == len(item["output_artifacts"])


def test_damaged_parts_never_become_a_slide(on_bucket: TestService, bucket: S3Server | GcsServer) -> None:
    ada = on_bucket.member()
    announced = {"name": "slide.svs", "size_bytes": len(CONTENT), "checksum_base64_crc32c": crc32c(CONTENT)}
    upload = ada.post("/api/coverslip/v1/uploads", json=announced).json()
    for part in upload["missing_parts"]:
        piece = CONTENT[::-1][part["offset_bytes"] :][: part["size_bytes"]]
        signing = f"/api/coverslip/v1/uploads/{upload['upload_id']}/parts/{part['number']}"
        url = ada.post(signing, json={"checksum_base64_crc32c": crc32c(piece)}).json()["upload_url"]
        httpx.put(url, content=piece).raise_for_status()
    before = bucket.objects("service")
    refused = ada.post(f"/api/coverslip/v1/uploads/{upload['upload_id']}/complete")
    assert refused.status_code == 400
    after = bucket.objects("service")
    assert {path for path in before if path not in after} == {path for path in before if path.startswith("parts/")}
    assert set(after) <= set(before)
    assert httpx.get(upload["download_url"]).status_code == 404


def test_what_the_service_does_not_serve_is_not_there(on_bucket: TestService) -> None:
    assert on_bucket.http.get("/store/inputs/a").status_code == 404
