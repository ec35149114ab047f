"""Bodies in every encoding that clients send."""

import asyncio
import base64
import hashlib
import io
import itertools
import zlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import pytest
from botocore.httpchecksum import AwsChunkedWrapper, Crc32Checksum
from hypothesis import given
from hypothesis import strategies as st
from tests.service.s3.conftest import Signed, error_code

from coverslip.service.s3.aws_chunked import decode
from coverslip.service.s3.errors import BodyIncomplete
from harness.worker import crc32c

CONTENT = bytes(range(256)) * 8192
TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


def encoded(content: bytes, chunk_bytes: int = 1024 * 1024) -> bytes:
    """As boto3 sends it over TLS."""
    wrapper = AwsChunkedWrapper(
        io.BytesIO(content),
        checksum_cls=Crc32Checksum,
        checksum_name="x-amz-checksum-crc32",
        chunk_size=chunk_bytes,
    )
    return b"".join(iter(lambda: wrapper.read(chunk_bytes), b""))


def decoded(pieces: Sequence[bytes]) -> tuple[bytes, dict[str, str]]:
    async def chunks() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    async def whole() -> bytes:
        return b"".join([piece async for piece in decode(chunks(), trailers)])

    trailers: dict[str, str] = {}
    return asyncio.run(whole()), trailers


class TestDecoding:
    @given(content=st.binary(max_size=300), chunk_bytes=st.integers(1, 100), cuts=st.lists(st.integers(0, 2000)))
    def test_however_it_is_cut(self, content: bytes, chunk_bytes: int, cuts: list[int]) -> None:
        body = encoded(content, chunk_bytes)
        places = [0, *sorted(cut for cut in cuts if cut < len(body)), len(body)]
        pieces = [body[start:end] for start, end in itertools.pairwise(places)]
        checksum = base64.b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()
        assert decoded(pieces) == (content, {"x-amz-checksum-crc32": checksum})

    def test_tiny_chunks_are_handed_on_together(self) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"1\r\nx\r\n" * 100_000 + b"0\r\n\r\n"

        async def sizes() -> list[int]:
            return [len(piece) async for piece in decode(chunks(), {})]

        assert asyncio.run(sizes()) == [65_536, 34_464]

    @given(content=st.binary(max_size=100), data=st.data())
    def test_what_ends_early_is_told(self, content: bytes, data: st.DataObject) -> None:
        body = encoded(content, 30)
        with pytest.raises(BodyIncomplete):
            decoded([body[: data.draw(st.integers(0, len(body) - 1))]])

    @pytest.mark.parametrize(
        "body",
        [
            b"zz\r\n",
            b"-1\r\n",
            b"\r\n",
            b"1\r\nab\r\n0\r\n\r\n",
            b"f" * 17 + b"\r\n",
            b"1" * 9000,
            b"0\r\n" + b"a:b\r\n" * 50,
        ],
    )
    def test_what_is_not_in_this_encoding(self, body: bytes) -> None:
        with pytest.raises(BodyIncomplete):
            decoded([body])

    def test_signatures_of_chunks_are_passed_over(self) -> None:
        assert decoded([b"3;chunk-signature=abc\r\nabc\r\n0;chunk-signature=d\r\n\r\n"]) == (b"abc", {})


class TestSending:
    def put(self, signed: Signed, body: bytes, size_bytes: int, **headers: str) -> httpx.Response:
        more = {
            "Content-Encoding": "aws-chunked",
            "X-Amz-Trailer": "x-amz-checksum-crc32",
            "X-Amz-Decoded-Content-Length": str(size_bytes),
        }
        sent = signed.headers("PUT", "/x", payload=TRAILER, **(more | headers))
        return httpx.put(signed.url + "/x", content=body, headers=sent)

    def test_with_a_checksum_behind_it(self, signed: Signed) -> None:
        answer = self.put(signed, encoded(CONTENT), len(CONTENT))
        assert answer.headers["ETag"] == f'"{hashlib.md5(CONTENT).hexdigest()}"'
        assert signed.send("GET", "/x").content == CONTENT

    def test_damaged_on_its_way(self, signed: Signed) -> None:
        damaged = encoded(CONTENT).replace(b"\x00\x01\x02", b"\x00\x01\x03", 1)
        assert error_code(self.put(signed, damaged, len(CONTENT))) == (400, "BadDigest")
        assert error_code(self.put(signed, encoded(CONTENT), len(CONTENT) + 1)) == (400, "IncompleteBody")
        assert error_code(self.put(signed, encoded(CONTENT)[:-3], len(CONTENT))) == (400, "IncompleteBody")
        without = {"X-Amz-Decoded-Content-Length": ""}
        assert error_code(self.put(signed, encoded(CONTENT), 0, **without)) == (400, "InvalidArgument")
        assert error_code(signed.send("GET", "/x")) == (404, "NoSuchKey")

    def test_chunks_with_signatures_of_their_own_are_not_offered(self, signed: Signed) -> None:
        headers = signed.headers("PUT", "/x", payload="STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
        assert error_code(httpx.put(signed.url + "/x", headers=headers)) == (501, "NotImplemented")

    def test_not_signed_at_all(self, signed: Signed) -> None:
        headers = signed.headers("PUT", "/x", payload="UNSIGNED-PAYLOAD")
        assert httpx.put(signed.url + "/x", content=iter([CONTENT, CONTENT]), headers=headers).status_code == 200
        assert signed.send("GET", "/x").content == CONTENT * 2

    @pytest.mark.parametrize(
        ("header", "right", "wrong"),
        [
            ("Content-MD5", base64.b64encode(hashlib.md5(CONTENT).digest()).decode(), "AAAA"),
            ("X-Amz-Checksum-Crc32c", crc32c(CONTENT), "AAAAAA=="),
            ("X-Amz-Checksum-Crc32c", crc32c(CONTENT), "?"),
        ],
    )
    def test_announced_digests(self, signed: Signed, header: str, right: str, wrong: str) -> None:
        sent: dict[str, Any] = signed.headers("PUT", "/x", CONTENT)
        assert httpx.put(signed.url + "/x", content=CONTENT, headers=sent | {header: wrong}).status_code == 400
        assert httpx.put(signed.url + "/x", content=CONTENT, headers=sent | {header: right}).status_code == 200


@pytest.mark.parametrize("length", ["", "many", "-1", "9" * 5000])
def test_a_decoded_length_that_is_no_number(signed: Signed, length: str) -> None:
    announced = {"x-amz-decoded-content-length": length}
    headers = signed.headers("PUT", "/x", payload=TRAILER, **announced)
    assert error_code(httpx.put(signed.url + "/x", headers=headers, content=b"0\r\n\r\n")) == (400, "InvalidArgument")
