"""The bucket through boto3, as the published client and everybody else's tools use it."""

import hashlib
from typing import Any

import httpx
import pytest
import requests
from botocore.exceptions import ClientError
from tests.service.s3.conftest import presigned

from coverslip.service.access.principal import Role
from harness.people import Person, item_request
from harness.service import TestService, at_once
from harness.store import ODD_NAMES
from harness.worker import crc32c

CONTENT = bytes(range(256)) * 1000
MORE_ODD_NAMES = ["a/../b", "./x", "a//b", "/lead", "trail/", "back\\slash", "new\nline", "tab\t", "~", "+", "a b+c%2B"]


def refused(error: pytest.ExceptionInfo[ClientError]) -> tuple[int, str]:
    response = error.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


@pytest.fixture
def client(s3: Any, ada: Person) -> Any:
    return s3(ada)


class TestPutAndGet:
    def test_an_object_comes_back(self, client: Any, bucket: str) -> None:
        put = client.put_object(Bucket=bucket, Key="ada/s1.svs", Body=CONTENT)
        tag = f'"{hashlib.md5(CONTENT).hexdigest()}"'
        assert put["ETag"] == tag
        got = client.get_object(Bucket=bucket, Key="ada/s1.svs")
        assert (got["Body"].read(), got["ETag"], got["ContentLength"]) == (CONTENT, tag, len(CONTENT))
        head = client.head_object(Bucket=bucket, Key="ada/s1.svs")
        assert (head["ETag"], head["ContentLength"]) == (tag, len(CONTENT))
        assert head["LastModified"] == got["LastModified"]

    def test_as_the_published_client_uploads(self, client: Any, bucket: str, ada: Person) -> None:
        """One PUT of many chunks without a length, with its token beside the signed URL, as any client might."""
        params = {"Bucket": bucket, "Key": "ada/1795332836588.7473/test-app/1.0.0/s 1.tiff"}
        url = client.generate_presigned_url("put_object", Params=params, ExpiresIn=7200)
        chunks = (CONTENT[start : start + 1000] for start in range(0, len(CONTENT), 1000))
        headers = {"Content-Type": "application/octet-stream", "Authorization": f"Bearer {ada.token}"}
        requests.put(url, data=chunks, headers=headers, timeout=60).raise_for_status()
        url = client.generate_presigned_url("get_object", Params=params, ExpiresIn=604_800)
        head = requests.head(url, timeout=30)
        assert (head.status_code, head.headers["Content-Length"], head.content) == (200, str(len(CONTENT)), b"")
        assert requests.get(url, headers=headers, timeout=30).content == CONTENT

    @pytest.mark.parametrize("key", [*ODD_NAMES, *MORE_ODD_NAMES])
    def test_any_key(self, client: Any, bucket: str, key: str) -> None:
        client.put_object(Bucket=bucket, Key=key, Body=key.encode())
        assert client.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
        assert [one["Key"] for one in client.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
        url = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key})
        assert httpx.Client().build_request("GET", url).url is not None
        client.delete_object(Bucket=bucket, Key=key)
        assert "Contents" not in client.list_objects_v2(Bucket=bucket)

    def test_keys_that_are_folders_of_others(self, client: Any, bucket: str) -> None:
        for key in ("a", "a/b", "a/b/c"):
            client.put_object(Bucket=bucket, Key=key, Body=key.encode())
        assert client.get_object(Bucket=bucket, Key="a/b")["Body"].read() == b"a/b"

    def test_too_long_a_key(self, client: Any, bucket: str) -> None:
        client.put_object(Bucket=bucket, Key="k" * 1024, Body=b"")
        with pytest.raises(ClientError) as error:
            client.put_object(Bucket=bucket, Key="k" * 1025, Body=b"")
        assert refused(error) == (400, "KeyTooLongError")

    def test_an_empty_object(self, client: Any, bucket: str) -> None:
        client.put_object(Bucket=bucket, Key="empty", Body=b"")
        assert client.get_object(Bucket=bucket, Key="empty")["Body"].read() == b""

    @pytest.mark.parametrize(
        ("asked", "expected"),
        [
            ("bytes=0-0", CONTENT[:1]),
            ("bytes=10-99", CONTENT[10:100]),
            ("bytes=255990-", CONTENT[255990:]),
            ("bytes=-7", CONTENT[-7:]),
            ("bytes=5-999999999", CONTENT[5:]),
            ("bytes=-999999999", CONTENT),
        ],
    )
    def test_ranges(self, client: Any, bucket: str, asked: str, expected: bytes) -> None:
        client.put_object(Bucket=bucket, Key="x", Body=CONTENT)
        got = client.get_object(Bucket=bucket, Key="x", Range=asked)
        assert got["Body"].read() == expected
        assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
        start = CONTENT.index(expected) if len(expected) > 256 else int(got["ContentRange"].split()[1].split("-")[0])
        assert got["ContentRange"] == f"bytes {start}-{start + len(expected) - 1}/{len(CONTENT)}"

    def test_what_is_no_range(self, client: Any, bucket: str) -> None:
        client.put_object(Bucket=bucket, Key="x", Body=CONTENT)
        for text in ("bytes=-", "bytes=9-3", "bytes=1-2,4-5", "lines=1-2"):
            assert client.get_object(Bucket=bucket, Key="x", Range=text)["Body"].read() == CONTENT
        for text in ("bytes=256000-", "bytes=-0"):
            with pytest.raises(ClientError) as error:
                client.get_object(Bucket=bucket, Key="x", Range=text)
            assert refused(error) == (416, "InvalidRange")

    def test_conditions(self, client: Any, bucket: str) -> None:
        tag = client.put_object(Bucket=bucket, Key="x", Body=b"1")["ETag"]
        with pytest.raises(ClientError) as error:
            client.get_object(Bucket=bucket, Key="x", IfNoneMatch=tag)
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 304
        assert client.get_object(Bucket=bucket, Key="x", IfNoneMatch='"other"')["Body"].read() == b"1"
        assert client.get_object(Bucket=bucket, Key="x", IfMatch=tag)["Body"].read() == b"1"
        with pytest.raises(ClientError) as error:
            client.get_object(Bucket=bucket, Key="x", IfMatch='"other"')
        assert refused(error) == (412, "PreconditionFailed")
        with pytest.raises(ClientError) as error:
            client.put_object(Bucket=bucket, Key="x", Body=b"2", IfNoneMatch="*")
        assert refused(error) == (412, "PreconditionFailed")
        client.put_object(Bucket=bucket, Key="y", Body=b"2", IfNoneMatch="*")

    def test_missing(self, client: Any, bucket: str) -> None:
        with pytest.raises(ClientError) as error:
            client.get_object(Bucket=bucket, Key="none")
        assert refused(error) == (404, "NoSuchKey")
        with pytest.raises(ClientError) as error:
            client.head_object(Bucket=bucket, Key="none")
        assert refused(error) == (404, "404")
        client.delete_object(Bucket=bucket, Key="none")

    @pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "SHA1", "SHA256"])
    def test_checksums_that_clients_send(self, client: Any, bucket: str, algorithm: str) -> None:
        if algorithm == "CRC32C":
            client.put_object(Bucket=bucket, Key="x", Body=CONTENT, ChecksumCRC32C=crc32c(CONTENT))
        else:
            client.put_object(Bucket=bucket, Key="x", Body=CONTENT, ChecksumAlgorithm=algorithm)
        other = {f"Checksum{algorithm}": {"CRC32": "AAAAAA==", "CRC32C": "AAAAAA=="}.get(algorithm, "AAAA")}
        with pytest.raises(ClientError) as error:
            client.put_object(Bucket=bucket, Key="y", Body=CONTENT, **other)
        assert refused(error) == (400, "BadDigest")
        with pytest.raises(ClientError):
            client.get_object(Bucket=bucket, Key="y")

    @pytest.mark.parametrize(
        "call",
        [
            lambda client, bucket: client.create_multipart_upload(Bucket=bucket, Key="x"),
            lambda client, bucket: client.copy_object(Bucket=bucket, Key="x", CopySource=f"{bucket}/y"),
            lambda client, bucket: client.list_objects(Bucket=bucket),
            lambda client, bucket: client.get_object_acl(Bucket=bucket, Key="x"),
            lambda client, bucket: client.put_bucket_versioning(
                Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
            ),
            lambda client, bucket: client.delete_bucket(Bucket=bucket),
        ],
    )
    def test_what_is_not_offered_says_so(self, client: Any, bucket: str, call: Any) -> None:
        with pytest.raises(ClientError) as error:
            call(client, bucket)
        assert refused(error) == (501, "NotImplemented")


class TestDeletion:
    def test_many_at_once(self, client: Any, bucket: str) -> None:
        keys = ["a", "b/c", "ü <&> \\"]
        for key in keys:
            client.put_object(Bucket=bucket, Key=key, Body=b"x")
        named = [{"Key": key} for key in [*keys, "never was"]]
        deleted = client.delete_objects(Bucket=bucket, Delete={"Objects": named})
        assert {one["Key"] for one in deleted["Deleted"]} == {*keys, "never was"}
        assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 0

    def test_a_member_deletes_and_replaces_only_what_they_wrote(self, service: TestService, s3: Any) -> None:
        organization = service.organization()
        ada, bob = service.person(organization), service.person(organization)
        chief = service.person(organization, Role.ADMIN)
        bucket = ada.get("/api/v1/me").json()["organization"]["aignostics_bucket_name"]
        s3(ada).put_object(Bucket=bucket, Key="x", Body=b"ada's")
        assert s3(bob).get_object(Bucket=bucket, Key="x")["Body"].read() == b"ada's"
        for forbidden in (
            lambda: s3(bob).delete_object(Bucket=bucket, Key="x"),
            lambda: s3(bob).put_object(Bucket=bucket, Key="x", Body=b"bob's"),
        ):
            with pytest.raises(ClientError) as error:
                forbidden()
            assert refused(error) == (403, "AccessDenied")
        listed = s3(bob).delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "x"}]})
        assert [(one["Key"], one["Code"]) for one in listed["Errors"]] == [("x", "AccessDenied")]
        assert s3(ada).get_object(Bucket=bucket, Key="x")["Body"].read() == b"ada's"
        s3(chief).delete_object(Bucket=bucket, Key="x")
        assert s3(ada).list_objects_v2(Bucket=bucket)["KeyCount"] == 0
        assert service.objects("inputs") == []
        (entry,) = service.database.rows("select * from audit_entry where action = 'object.deleted'")
        assert (entry.user_id, entry.details["key"]) == (chief.user_id, "x")


class TestBesideOurOwnClient:
    def test_objects_are_known_to_the_api(self, client: Any, bucket: str, ada: Person) -> None:
        client.put_object(Bucket=bucket, Key="ada/s1.svs", Body=CONTENT)
        (listed,) = ada.get("/api/coverslip/v1/objects").json()
        assert (listed["bucket_key"], listed["size_bytes"]) == ("ada/s1.svs", len(CONTENT))
        assert listed["checksum_base64_crc32c"] == crc32c(CONTENT)
        assert ada.delete(f"/api/coverslip/v1/objects/{listed['object_key']}").status_code == 204
        assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 0

    def test_uploads_of_our_own_client_are_in_the_bucket(self, client: Any, bucket: str, ada: Person) -> None:
        ada.upload("batch/s1.svs", CONTENT)
        (listed,) = client.list_objects_v2(Bucket=bucket)["Contents"]
        assert listed["Key"].startswith("coverslip-uploads/")
        assert listed["Key"].endswith("batch/s1.svs")
        assert client.get_object(Bucket=bucket, Key=listed["Key"])["Body"].read() == CONTENT
        with pytest.raises(ClientError) as error:
            client.put_object(Bucket=bucket, Key=listed["Key"], Body=b"other")
        assert refused(error) == (403, "AccessDenied")
        client.delete_object(Bucket=bucket, Key=listed["Key"])
        assert ada.get("/api/coverslip/v1/objects").json() == []


class TestReplacing:
    def kept(self, service: TestService) -> set[bytes]:
        return {path.read_bytes() for path in service.objects("inputs")}

    def test_the_later_content_is_there(self, service: TestService, client: Any, bucket: str) -> None:
        for content in (b"first", b"second"):
            client.put_object(Bucket=bucket, Key="x", Body=content)
        assert client.get_object(Bucket=bucket, Key="x")["Body"].read() == b"second"
        assert self.kept(service) == {b"second"}

    @pytest.mark.parametrize("change", ["replace", "delete"])
    def test_a_run_keeps_what_it_was_submitted_with(
        self, service: TestService, client: Any, bucket: str, ada: Person, change: str
    ) -> None:
        client.put_object(Bucket=bucket, Key="x", Body=b"first")
        url = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "x"})
        run_id = ada.submit(items=[item_request("s1", url=url)])
        if change == "replace":
            client.put_object(Bucket=bucket, Key="x", Body=b"second")
        else:
            client.delete_object(Bucket=bucket, Key="x")
        listed = [one["Key"] for one in client.list_objects_v2(Bucket=bucket).get("Contents", [])]
        assert listed == (["x"] if change == "replace" else [])
        assert len(ada.get("/api/coverslip/v1/objects").json()) == len(listed)
        (given,) = service.worker().must_lease().lease["inputs"]
        assert httpx.get(given["download_url"]).content == b"first"
        service.database.rows("update bucket_object set created_at = now() - interval '8 days' where key is null")
        service.sweep()
        assert b"first" in self.kept(service)
        assert ada.post(f"/api/v1/runs/{run_id}/cancel").status_code == 202
        service.sweep()
        assert self.kept(service) == ({b"second"} if change == "replace" else set())

    def test_at_once_one_of_them_stays_whole(self, service: TestService, client: Any, bucket: str) -> None:
        contents = [bytes([number]) * 100_000 for number in range(6)]
        at_once([lambda c=content: client.put_object(Bucket=bucket, Key="x", Body=c) for content in contents])
        (kept,) = self.kept(service)
        assert client.get_object(Bucket=bucket, Key="x")["Body"].read() == kept
        assert kept in contents
        assert len(service.database.rows("select * from bucket_object")) == 1


class TestSubmission:
    def submit(self, person: Person, url: str) -> httpx.Response:
        request = {"application_id": "test-app", "items": [item_request("s1", url=url)]}
        return person.post("/api/v1/runs", json=request)

    def test_urls_of_the_bucket_are_signed_anew_for_the_worker(
        self, service: TestService, client: Any, bucket: str, ada: Person
    ) -> None:
        client.put_object(Bucket=bucket, Key="x", Body=CONTENT)
        url = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "x"})
        assert self.submit(ada, url).status_code == 201
        (given,) = service.worker().must_lease().lease["inputs"]
        assert given["download_url"].startswith(f"{service.url}/store/inputs/")
        assert httpx.get(given["download_url"]).content == CONTENT

    def test_urls_that_lead_elsewhere_in_our_store_are_refused(
        self, service: TestService, s3: Any, client: Any, bucket: str, ada: Person
    ) -> None:
        client.put_object(Bucket=bucket, Key="x", Body=CONTENT)
        stranger = service.member()
        params = {"Bucket": bucket, "Key": "x"}
        good = client.generate_presigned_url("get_object", Params=params)
        for url in (
            client.generate_presigned_url("get_object", Params=params | {"Key": "not there"}),
            client.generate_presigned_url("put_object", Params=params),
            s3(stranger).generate_presigned_url("get_object", Params=params),
            presigned(service, ada, "GET", "nul\x00"),
            good.replace("/x?", "/y?"),
        ):
            assert self.submit(ada, url).status_code == 400, url
        assert self.submit(stranger, good).status_code == 400
        assert self.submit(ada, good).status_code == 201


class TestInterruption:
    def test_a_cut_upload_leaves_nothing(self, service: TestService, client: Any, bucket: str) -> None:
        url = client.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "x"})

        def body() -> Any:
            yield CONTENT
            raise ConnectionAbortedError

        with pytest.raises((requests.RequestException, ConnectionAbortedError)):
            requests.put(url, data=body(), timeout=30)
        client.put_object(Bucket=bucket, Key="y", Body=b"later")
        assert [one["Key"] for one in client.list_objects_v2(Bucket=bucket)["Contents"]] == ["y"]

    def test_what_a_killed_service_was_receiving_is_swept(self, service: TestService, ada: Person) -> None:
        service.database.rows(
            "insert into bucket_object "
            "(path, organization_id, user_id, size_bytes, checksum_base64_crc32c, created_at) "
            "values ('cut off', %s, %s, 0, '', now() - interval '8 days')",
            ada.organization_id,
            ada.user_id,
        )
        assert ada.get("/api/coverslip/v1/objects").json() == []
        service.sweep()
        assert service.database.rows("select * from bucket_object") == []
