"""Requests as no honest client sends them are answered, never with a 5xx."""

import socket
from urllib.parse import urlsplit

import pytest

from harness.people import Person
from harness.service import TestService


@pytest.fixture
def ada(service: TestService) -> Person:
    return service.member()


def raw(person: Person, request_line: bytes, *headers: bytes, body: bytes = b"") -> int:
    """The status of a request that is sent byte by byte as given."""
    address = urlsplit(str(person.base_url))
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        lines = [request_line, b"Host: x", b"Connection: close", f"Authorization: Bearer {person.token}".encode()]
        connection.sendall(b"\r\n".join([*lines, *headers, b"", b""]) + body)
        return int(connection.recv(4096).split()[1])


PATHS = [
    b"/api/v1/runs/%00",
    b"/api/v1/runs/%ff",
    b"/api/v1/runs/%ED%A0%80",
    b"/api/v1/runs/" + b"a" * 5000,
    b"/api/v1/applications/%00",
    b"/api/v1/applications/%ED%A0%80",
    b"/api/v1/applications/..%2f..%2fetc",
    b"/api/v1/applications/test-app/versions/%0a",
    b"/api/v1/applications/test-app/versions/1.0.0%00",
    b"/api/v1/runs?external_id=%00",
    b"/api/v1/runs?external_id=%ED%A0%80&custom_metadata=%ED%A0%80",
    b"/api/v1/runs?custom_metadata=%00",
    b"/api/v1/runs?sort=%00",
    b"/api/v1/runs?sort=%ff",
    b"/api/v1/runs?page=" + b"9" * 5000,
    b"/api/v1/runs?page=1e3",
    b"/api/v1/runs?page_size=%D9%A5%D9%A5",
    b"/api/v1/runs?" + b"&".join([b"sort=state"] * 500),
    b"/api/v1/runs?%",
    b"/api/v1/runs?=&&==",
    b"/api/v1//runs",
    b"/api/v1/../v1/runs",
    b"//api/v1/runs",
    b"/api",
    b"/store/inputs/%00?signature=a&expires=1",
    b"/store/other/x?signature=a&expires=1",
    b"/store/inputs/x?signature=%ff&expires=%d9%a5",
    b"/welcome?link=%00",
    b"/welcome?link=%ED%A0%80",
    b"/device?user_code=%00",
]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[:60].decode())
def test_odd_addresses(ada: Person, path: bytes) -> None:
    for method in (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"BREW"):
        assert raw(ada, method + b" " + path + b" HTTP/1.1", b"Content-Length: 0") < 500


@pytest.mark.parametrize(
    "header",
    [
        b"Idempotency-Key: \xff\xfe",
        b"Idempotency-Key: a\x00b",
        b"Idempotency-Key:",
        b"Idempotency-Key: " + b"x" * 256,
        b"Content-Type: application/json; charset=utf-16",
        b"Content-Type: \xff",
        b"Accept: \xff\xff",
        b"Content-Encoding: gzip",
        b"Cookie: \x01",
    ],
)
def test_odd_headers(ada: Person, header: bytes) -> None:
    body = b'{"application_id": "test-app", "items": []}'
    length = f"Content-Length: {len(body)}".encode()
    assert raw(ada, b"POST /api/v1/runs HTTP/1.1", header, length, body=body) < 500


def test_a_body_that_is_too_large_is_not_read_to_its_end(ada: Person) -> None:
    huge = b"Content-Length: 1000000000000"
    for path in (b"/api/v1/runs", b"/api/coverslip/v1/uploads", b"/oauth/token"):
        kind = b"application/x-www-form-urlencoded" if path == b"/oauth/token" else b"application/json"
        assert raw(ada, b"POST " + path + b" HTTP/1.1", huge, b"Content-Type: " + kind, body=b"{") == 413


@pytest.mark.parametrize("path", ["/api/v1/runs", "/api/coverslip/v1/uploads", "/legacy/api/v1/runs"])
@pytest.mark.parametrize("token", ["", "Bearer x"])
def test_a_body_without_a_valid_token_is_not_read(service: TestService, path: str, token: str) -> None:
    address = urlsplit(service.url)
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nContent-Length: 30000000\r\n\r\n"
        connection.sendall(head.encode())
        assert int(connection.recv(4096).split()[1]) == 401, "and no byte of the body was sent"


def test_objects_that_cannot_be(ada: Person) -> None:
    good = {"name": "s.svs", "size_bytes": 1, "checksum_base64_crc32c": "AAAAAA=="}
    for wrong in (
        {"name": ""},
        {"name": "a\x00"},
        {"name": "x" * 513},
        {"size_bytes": -1},
        {"size_bytes": 10**30},
        {"size_bytes": 1.5},
        {"checksum_base64_crc32c": "AAAAAA"},
        {"checksum_base64_crc32c": "AAAAAA==\n"},
        {"checksum_base64_crc32c": "é" * 8},
    ):
        assert ada.post("/api/coverslip/v1/uploads", json=good | wrong).status_code == 422, wrong
    for wrong in ("..", "a/../b", "/a", "a//b", "a\\b", "a\nb", "切" * 100):
        assert ada.post("/api/coverslip/v1/uploads", json=good | {"name": wrong}).status_code == 400, wrong
    too_long = ada.post("/api/coverslip/v1/uploads", json=good | {"name": "/".join(["切" * 50] * 8)})
    assert too_long.status_code == 400
