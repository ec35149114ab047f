"""Signed URLs are those that the stores' own clients sign."""

import json
from datetime import timedelta

import obstore
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st
from obstore.store import GCSStore, S3Store

from coverslip.service.storage.query_signing import gcs_signer, s3_signer
from harness.store import change

S3 = s3_signer("https://s3.example/slides", region="eu-central-1", access_key_id="key", secret_access_key="secret")
ODD_PATH = "site/inputs/a b+ü~'%.svs"


@pytest.fixture(scope="module")
def service_account_key() -> str:
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    account = {"type": "service_account", "client_email": "a@b.example", "private_key_id": "1", "private_key": pem}
    return json.dumps(account)


def test_urls_of_another_client_with_our_s3_key_are_ours() -> None:
    store = S3Store(
        "slides",
        endpoint="https://s3.example",
        region="eu-central-1",
        access_key_id="key",
        secret_access_key="secret",
    )
    url = obstore.sign(store, "GET", ODD_PATH, timedelta(seconds=60))
    assert S3.path_of("GET", url) == ODD_PATH
    assert S3.path_of("PUT", url) is None


def test_urls_of_another_client_with_our_google_key_are_ours(service_account_key: str) -> None:
    store = GCSStore("slides", service_account_key=service_account_key)
    signer = gcs_signer("https://storage.googleapis.com/slides", service_account_key)
    path = "site/inputs/a b~.svs"
    url = obstore.sign(store, "GET", path, timedelta(seconds=60))
    assert signer.path_of("GET", url) == path
    assert signer.path_of("PUT", url) is None


def test_google_urls_are_recognised_and_not_changed(service_account_key: str) -> None:
    signer = gcs_signer("https://storage.googleapis.com/slides", service_account_key)
    url = signer.sign("GET", ODD_PATH, expires_in_s=60, parameters={"response-content-type": "text/csv"})
    assert signer.path_of("GET", url) == ODD_PATH
    assert signer.path_of("GET", change(url, **{"response-content-type": "text/html"})) is None
    assert "content-length" not in signer.sign("PUT", "a", expires_in_s=60)


@pytest.mark.parametrize("key", ["", "[]", "{}", '{"client_email": "a", "private_key": "b"}', '"text"'])
def test_what_is_no_service_account_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # its messages differ
        gcs_signer("https://storage.googleapis.com/slides", key)


@given(path=st.text(st.characters(exclude_categories=["Cs"]), min_size=1), expires_in_s=st.integers(-1000, 1000))
def test_every_url_of_ours_is_recognised(path: str, expires_in_s: int) -> None:
    url = S3.sign("GET", path, expires_in_s=expires_in_s, parameters={"response-content-type": path})
    assert S3.path_of("GET", url) == path
    other = s3_signer("https://s3.example/slides", region="eu-central-1", access_key_id="key", secret_access_key="x")
    assert other.path_of("GET", url) is None


def test_without_a_date_nothing_is_ours() -> None:
    query = (
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=key//eu-central-1/s3/aws4_request&X-Amz-SignedHeaders=host"
    )
    assert S3.path_of("GET", f"https://s3.example/slides/a?{query}&X-Amz-Signature=0") is None


@given(rest=st.text())
def test_no_other_text_is(rest: str) -> None:
    for url in (rest, f"https://s3.example/slides/{rest}", f"https://s3.example/slides/a?X-Amz-Date={rest}"):
        assert S3.path_of("GET", url) is None
