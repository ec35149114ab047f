"""What the bucket must refuse, whoever signed it and however."""

import socket
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest
from botocore.exceptions import ClientError
from tests.service.s3.conftest import Signed, bucket_of, credentials, error_code, presigned

from coverslip.service.access.principal import Role
from coverslip.service.s3.dialect_request import PUBLISHED_BUCKET_HOST
from coverslip.service.storage.query_signing import s3_signer
from harness.people import Person
from harness.service import TestService
from harness.store import change

CONTENT = b"a slide"


def refused(error: pytest.ExceptionInfo[ClientError]) -> tuple[int, str]:
    response = error.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


@pytest.fixture
def client(s3: Any, ada: Person, bucket: str) -> Any:
    client = s3(ada)
    client.put_object(Bucket=bucket, Key="x", Body=CONTENT)
    return client


class TestPresigned:
    def test_a_url_is_for_one_method_of_one_object(
        self, service: TestService, client: Any, bucket: str, ada: Person
    ) -> None:
        client.put_object(Bucket=bucket, Key="y", Body=CONTENT)
        get, put = (presigned(service, ada, method, "x") for method in ("GET", "PUT"))
        for method, url in (
            ("PUT", get),
            ("DELETE", get),
            ("GET", put),
            ("HEAD", put),
            ("DELETE", put),
            ("GET", get.replace("/x?", "/y?")),
            ("GET", get.replace("/x?", "/%78x?")),
            ("GET", get.replace("/x?", "?")),
            ("GET", get.replace("/x?", "?list-type=2&")),
            ("GET", get + "&response-content-type=text%2Fhtml"),
            ("GET", get.replace("/s3/", "/s3//")),
            ("GET", change(get, **{"X-Amz-Signature": "0" * 64})),
            ("GET", change(get, **{"X-Amz-Expires": "61"})),
            ("GET", change(get, **{"X-Amz-SignedHeaders": "host;range"})),
        ):
            answer = httpx.request(method, url)
            assert answer.status_code == 403, (method, url)
            assert method == "HEAD" or error_code(answer)[1] == "SignatureDoesNotMatch"
        assert httpx.get(get).content == CONTENT

    def test_another_host_was_not_signed(self, service: TestService, client: Any, ada: Person) -> None:
        get = presigned(service, ada, "GET", "x")
        assert error_code(httpx.get(get, headers={"Host": "elsewhere.example"})) == (403, "SignatureDoesNotMatch")

    def test_expired(self, service: TestService, client: Any, ada: Person) -> None:
        answer = httpx.get(presigned(service, ada, "GET", "x", expires_in_s=-1))
        assert error_code(answer) == (403, "AccessDenied")
        assert "Request has expired" in answer.text

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"X-Amz-Expires": "604801"}, "AuthorizationQueryParametersError"),
            ({"X-Amz-Expires": "0"}, "AuthorizationQueryParametersError"),
            ({"X-Amz-Expires": "-5"}, "AuthorizationQueryParametersError"),
            ({"X-Amz-Expires": None}, "AuthorizationQueryParametersError"),
            ({"X-Amz-Expires": "٣"}, "AuthorizationQueryParametersError"),
            ({"X-Amz-Date": "yesterday"}, "AuthorizationQueryParametersError"),
            ({"X-Amz-Date": "20269999T999999Z"}, "AuthorizationQueryParametersError"),
            ({"X-Amz-Date": "20000101T000000Z"}, "AuthorizationQueryParametersError"),
            ({"X-Amz-Algorithm": "AWS4-HMAC-SHA1"}, "AuthorizationQueryParametersError"),
            ({"X-Amz-Credential": "id/20260101/r/sts/aws4_request"}, "AuthorizationQueryParametersError"),
            ({"X-Amz-Credential": ""}, "AuthorizationQueryParametersError"),
            ({"X-Amz-SignedHeaders": "date"}, "AuthorizationQueryParametersError"),
            ({"X-Amz-SignedHeaders": None}, "AuthorizationQueryParametersError"),
            ({"X-Amz-Signature": None}, "AccessDenied"),
            ({"X-Amz-Signature": "é"}, "SignatureDoesNotMatch"),
            ({"X-Amz-Signature": ""}, "SignatureDoesNotMatch"),
        ],
    )
    def test_parameters_that_say_nothing(
        self, service: TestService, client: Any, ada: Person, changes: dict[str, str | None], expected: str
    ) -> None:
        assert error_code(httpx.get(change(presigned(service, ada, "GET", "x"), **changes)))[1] == expected

    def test_from_the_future(self, service: TestService, client: Any, ada: Person, monkeypatch: Any) -> None:
        for minutes, expected in ((14, (200, "")), (16, (403, "RequestTimeTooSkewed"))):

            class Ahead(datetime):
                @classmethod
                def now(cls, tz: Any = None, by: int = minutes) -> datetime:
                    return datetime.now(tz) + timedelta(minutes=by)

            monkeypatch.setattr("coverslip.service.storage.query_signing.datetime", Ahead)
            assert error_code(httpx.get(presigned(service, ada, "GET", "x"))) == expected

    def test_a_token_beside_it_changes_nothing(self, service: TestService, client: Any, ada: Person) -> None:
        get = presigned(service, ada, "GET", "x")
        for authorization in (f"Bearer {ada.token}", "Bearer nonsense", "AWS4-HMAC-SHA256 nonsense"):
            assert httpx.get(get, headers={"Authorization": authorization}).content == CONTENT
        assert httpx.get(change(get, **{"X-Amz-Signature": "0"}), headers=ada.headers).status_code == 403


class TestHeaders:
    def test_what_was_signed_must_be_what_is_sent(self, signed: Signed, client: Any) -> None:
        assert signed.send("GET", "/x").content == CONTENT
        late = (datetime.now(UTC) - timedelta(minutes=1)).strftime("%Y%m%dT%H%M%SZ")
        for changes in (
            {"X-Amz-Date": late},
            {"X-Amz-Content-SHA256": "0" * 64},
            {"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"},
            {"Host": "elsewhere.example"},
        ):
            assert error_code(signed.send("GET", "/x", **changes)) == (403, "SignatureDoesNotMatch"), changes

    def test_the_body_must_be_the_signed_one(self, signed: Signed, client: Any) -> None:
        headers = signed.headers("PUT", "/x", b"what was signed")
        answer = httpx.put(signed.url + "/x", content=b"something else!", headers=headers)
        assert error_code(answer) == (400, "BadDigest")
        assert signed.send("GET", "/x").content == CONTENT

    def test_an_old_request_cannot_be_sent_again(self, signed: Signed, client: Any, monkeypatch: Any) -> None:
        for minutes, expected in ((-14, 200), (-16, 403), (14, 200), (16, 403)):
            shifted = datetime.now(UTC) + timedelta(minutes=minutes)
            monkeypatch.setattr("botocore.auth.get_current_datetime", lambda by=shifted: by.replace(tzinfo=None))
            answer = signed.send("GET", "/x")
            assert answer.status_code == expected
            assert expected == 200 or error_code(answer)[1] == "RequestTimeTooSkewed"

    def test_nobody_is_let_in_without_a_signature(self, signed: Signed, client: Any, ada: Person) -> None:
        for headers in ({}, dict(ada.headers), {"Authorization": "AWS signature of version 2"}):
            for method in ("GET", "PUT", "DELETE"):
                assert error_code(httpx.request(method, signed.url + "/x", headers=headers)) == (403, "AccessDenied")
        broken = {"Authorization": "AWS4-HMAC-SHA256 Credential=a"}
        assert error_code(httpx.get(signed.url + "/x", headers=broken))[0] == 400


class TestOthers:
    def test_the_bucket_of_another_organization(self, service: TestService, s3: Any, client: Any, bucket: str) -> None:
        stranger = service.person(service.organization(), Role.ADMIN)
        operator = service.person(service.organization(), Role.SUPER_ADMIN)
        for other in (stranger, operator):
            for name in (bucket, "coverslip-00000000000000000000", "..", "inputs"):
                for call in (
                    lambda c, b: c.list_objects_v2(Bucket=b),
                    lambda c, b: c.get_object(Bucket=b, Key="x"),
                    lambda c, b: c.put_object(Bucket=b, Key="x", Body=b""),
                    lambda c, b: c.delete_object(Bucket=b, Key="x"),
                ):
                    with pytest.raises((ClientError, ValueError)) as error:
                        call(s3(other), name)
                    if isinstance(error.value, ClientError):
                        assert refused(error) == (404, "NoSuchBucket")
            own = bucket_of(other)
            assert s3(other).list_objects_v2(Bucket=own)["KeyCount"] == 0
        assert client.get_object(Bucket=bucket, Key="x")["Body"].read() == CONTENT

    def test_a_revoked_key(self, service: TestService, s3: Any, client: Any, bucket: str, ada: Person) -> None:
        url = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "x"})
        access_key_id, _, _ = credentials(ada)
        assert ada.delete(f"/api/coverslip/v1/bucket-keys/{access_key_id}").status_code == 204
        with pytest.raises(ClientError) as error:
            client.list_objects_v2(Bucket=bucket)
        assert refused(error) == (403, "InvalidAccessKeyId")
        assert error_code(httpx.get(url)) == (403, "InvalidAccessKeyId")
        assert s3(ada).get_object(Bucket=bucket, Key="x")["Body"].read() == CONTENT

    @pytest.mark.parametrize(
        "statement",
        [
            "update user_account set disabled_at = now() where id = %s",
            "delete from membership where user_id = %s",
        ],
    )
    def test_who_left(self, service: TestService, client: Any, bucket: str, ada: Person, statement: str) -> None:
        service.database.rows(statement, ada.user_id)
        with pytest.raises(ClientError) as error:
            client.get_object(Bucket=bucket, Key="x")
        assert refused(error) == (403, "InvalidAccessKeyId")

    def test_a_wrong_secret(self, s3: Any, client: Any, bucket: str, ada: Person) -> None:
        with pytest.raises(ClientError) as error:
            s3(ada, secret_access_key="guessed").list_objects_v2(Bucket=bucket)
        assert refused(error) == (403, "SignatureDoesNotMatch")
        with pytest.raises(ClientError) as error:
            s3(ada, access_key_id="CVSLGUESSED").list_objects_v2(Bucket=bucket)
        assert refused(error) == (403, "InvalidAccessKeyId")


class TestPaths:
    @pytest.mark.parametrize(
        "path",
        [
            "../inputs/secret",
            "..%2f..%2fresults",
            "%2e%2e/%2e%2e/etc/passwd",
            "%2e%2e%2f",
            "..%5c..%5cx",
            "/etc/passwd",
            "x/../../secret",
        ],
    )
    def test_a_key_is_never_a_path(
        self, service: TestService, client: Any, bucket: str, ada: Person, path: str
    ) -> None:
        """Sent as it is, signed or not: it finds nothing, or nothing but the object of that very key."""
        access_key_id, secret, _ = credentials(ada)
        signer = s3_signer(
            f"{service.url}/s3/{bucket}", region="r", access_key_id=access_key_id, secret_access_key=secret
        )
        unescaped = httpx.QueryParams(f"k={path}")["k"]
        query = urlsplit(signer.sign("GET", unescaped, expires_in_s=60)).query
        parts = urlsplit(service.url)
        for target in (f"/s3/{bucket}/{path}?{query}", f"/s3/{bucket}/{path}", f"/s3/{path}?{query}"):
            with socket.create_connection((parts.hostname, parts.port)) as raw:
                raw.sendall(f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
                status = int(raw.recv(65536).split()[1])
            assert status in (400, 403, 404), (target, status)

    @pytest.mark.parametrize("path", ["%ff", "x%00", "%C3%28", "é".encode().decode("latin-1")])
    def test_keys_that_are_no_text(self, service: TestService, bucket: str, path: str) -> None:
        parts = urlsplit(service.url)
        with socket.create_connection((parts.hostname, parts.port)) as raw:
            head = f"GET /s3/{bucket}/{path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
            raw.sendall(head.encode("latin-1"))
            status = int(raw.recv(65536).split()[1])
        assert status in (400, 403, 422)


class TestDocuments:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le"])
    def test_entities_make_no_small_document_large(self, signed: Signed, encoding: str) -> None:
        entity = f'<!DOCTYPE d [<!ENTITY a "{"x" * 1000}">]>'
        document = f'<?xml version="1.0"?>{entity}<Delete><Object><Key>&a;&a;&a;</Key></Object></Delete>'
        answer = signed.send("POST", "?delete=", document.encode(encoding))
        assert error_code(answer) == (400, "MalformedXML")


def test_no_other_protocol_is_spoken(service: TestService) -> None:
    parts = urlsplit(service.url)
    key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="
    upgrade = f"Connection: Upgrade\r\nUpgrade: websocket\r\n{key}"
    with socket.create_connection((parts.hostname, parts.port)) as raw:
        raw.sendall(f"GET /s3/b/k HTTP/1.1\r\nHost: {parts.netloc}\r\n{upgrade}\r\n\r\n".encode())
        assert int(raw.recv(65536).split()[1]) == 403


class TestPublishedHost:
    def test_only_where_it_is_switched_on(self, service: TestService, client: Any, bucket: str, ada: Person) -> None:
        access_key_id, secret, _ = credentials(ada)
        signer = s3_signer(
            f"https://{PUBLISHED_BUCKET_HOST}/{bucket}",
            region="EUROPE-WEST3",
            access_key_id=access_key_id,
            secret_access_key=secret,
        )
        url = urlsplit(signer.sign("GET", "x", expires_in_s=60))
        here = f"{{}}{quote(url.path)}?{url.query}"
        headers = {"Host": PUBLISHED_BUCKET_HOST}
        assert httpx.get(here.format(service.url), headers=headers).status_code == 404
        with TestService(service.database, service.store_folder, bucket_at_published_host=True) as other:
            assert httpx.get(here.format(other.url), headers=headers).content == CONTENT
            assert httpx.get(here.format(other.url)).status_code == 404
            assert httpx.get(f"{other.url}/health").status_code == 200
            listing = signer.sign("GET", "", expires_in_s=60, parameters={"list-type": "2"})
            listed = httpx.get(listing.replace(f"https://{PUBLISHED_BUCKET_HOST}", other.url), headers=headers)
            assert error_code(listed)[0] == 200
