"""Clients of S3, as their users make them."""

from collections.abc import Callable
from typing import Any

import boto3
import httpx
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.client import Config
from botocore.credentials import Credentials

from coverslip.service.storage.query_signing import s3_signer
from harness.people import Person
from harness.service import TestService

_SESSION = boto3.Session()  # it reads the description of S3 once

Client = Any
"""A client of boto3, which has no types of its own."""

ClientFactory = Callable[..., Client]


def credentials(person: Person) -> tuple[str, str, str]:
    """Access key id, secret and bucket that the platform tells a person."""
    organization = person.get("/api/v1/me").raise_for_status().json()["organization"]
    return (
        organization["aignostics_bucket_hmac_access_key_id"],
        organization["aignostics_bucket_hmac_secret_access_key"],
        organization["aignostics_bucket_name"],
    )


def bucket_of(person: Person) -> str:
    return credentials(person)[2]


def s3_client(endpoint: str, access_key_id: str, secret_access_key: str, region: str = "EUROPE-WEST3") -> Client:
    """A client as the published one makes it."""
    return _SESSION.client(
        "s3",
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=access_key_id,
        aws_secret_access_key=secret_access_key,
        config=Config(signature_version="s3v4", retries={"total_max_attempts": 1}),
    )


def presigned(service: TestService, person: Person, method: str, key: str, expires_in_s: int = 60) -> str:
    """As our own signer makes it, which can sign in the past too."""
    access_key_id, secret, bucket = credentials(person)
    signer = s3_signer(f"{service.url}/s3/{bucket}", region="r", access_key_id=access_key_id, secret_access_key=secret)
    return signer.sign(method, key, expires_in_s=expires_in_s)


def error_code(response: httpx.Response) -> tuple[int, str]:
    """Status and S3's code of an answer; the code is empty where there is none."""
    return response.status_code, response.text.partition("<Code>")[2].partition("</Code>")[0]


class Signed:
    """Requests with signed headers, each of which a test may change."""

    def __init__(self, service: TestService, person: Person) -> None:
        self.url = f"{service.url}/s3/{bucket_of(person)}"
        self.credentials = Credentials(*credentials(person)[:2])

    def headers(
        self, method: str, path: str, content: bytes = b"", *, payload: str | None = None, **signed: str
    ) -> dict[str, str]:
        """The headers of a request; ``payload`` is what is said of the body in place of its SHA-256."""

        class Auth(S3SigV4Auth):
            def payload(self, request: AWSRequest) -> str:
                return payload or super().payload(request)

        request = AWSRequest(method, self.url + path, data=content, headers=signed)
        Auth(self.credentials, "s3", "any").add_auth(request)
        return {name: str(value) for name, value in request.headers.items()}

    def send(self, method: str, path: str, content: bytes = b"", **changes: str) -> httpx.Response:
        headers = self.headers(method, path, content)
        return httpx.request(method, self.url + path, content=content, headers=headers | changes)


@pytest.fixture
def signed(service: TestService, ada: Person) -> Signed:
    return Signed(service, ada)


@pytest.fixture
def s3(service: TestService) -> ClientFactory:
    """Makes a client with a person's bucket key."""

    def make(person: Person, **changes: Any) -> Client:
        access_key_id, secret, _ = credentials(person)
        keys = {"access_key_id": access_key_id, "secret_access_key": secret} | changes
        return s3_client(f"{service.url}/s3", **keys)

    return make


@pytest.fixture
def ada(service: TestService) -> Person:
    return service.member()


@pytest.fixture
def bucket(ada: Person) -> str:
    return bucket_of(ada)
