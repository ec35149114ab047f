"""The body of a request: decoded, measured, and compared with every digest that was announced."""

import base64
import binascii
import hashlib
import hmac
import re
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Protocol

import google_crc32c

from coverslip.service.s3.aws_chunked import decode
from coverslip.service.s3.errors import ArgumentInvalid, BodyIncomplete, DigestDiffers, OperationUnsupported
from coverslip.service.storage.signature_v4 import UNSIGNED_PAYLOAD

_UNSIGNED_WITH_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
_SHA256_HEX = re.compile(r"[0-9a-f]{64}")
_CHECKSUM = "x-amz-checksum-"


class _Digest(Protocol):
    def update(self, data: bytes, /) -> object: ...

    def digest(self) -> bytes: ...


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


_DIGESTS: Mapping[str, Callable[[], _Digest]] = {
    "crc32": _Crc32,
    "crc32c": google_crc32c.Checksum,
    "md5": lambda: hashlib.md5(usedforsecurity=False),
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
}
"""Those that clients announce and Python computes fast. Others (CRC-64) are not compared."""


class Body:
    """A body that is read once.

    Parameters
    ----------
    raw
        As it arrives.
    headers
        Of the request, with names in lower case.
    payload
        What the signature says of the body.

    Raises
    ------
    OperationUnsupported
        If it is encoded in a way that is not known here.
    ArgumentInvalid
        If an announced digest cannot be read.
    """

    def __init__(self, raw: AsyncIterator[bytes], headers: Mapping[str, str], payload: str) -> None:
        self._trailers: dict[str, str] = {}
        self._announced: dict[str, bytes] = {}
        self._decoded_bytes: int | None = None
        names = {"crc32c", "md5"}
        if "aws-chunked" in headers.get("content-encoding", "") and payload != _UNSIGNED_WITH_TRAILER:
            raise OperationUnsupported(operation=f"the encoding aws-chunked for bodies signed as '{payload[:60]}'")
        if payload == _UNSIGNED_WITH_TRAILER:
            raw = decode(raw, self._trailers)
            names |= {name.strip().removeprefix(_CHECKSUM) for name in headers.get("x-amz-trailer", "").split(",")}
            self._decoded_bytes = _number(headers.get("x-amz-decoded-content-length", ""))
        elif _SHA256_HEX.fullmatch(payload):
            self._announced["sha256"] = bytes.fromhex(payload)
        elif payload != UNSIGNED_PAYLOAD:
            raise OperationUnsupported(operation=f"bodies signed as '{payload[:60]}'")
        self._raw = raw
        self._announced |= _announced(headers)
        if "content-md5" in headers:
            self._announced["md5"] = _decoded("content-md5", headers["content-md5"])
        self._digests = {name: _DIGESTS[name]() for name in (names | self._announced.keys()) & _DIGESTS.keys()}
        self.size_bytes = 0
        self.announced_bytes = self._decoded_bytes or int(headers.get("content-length", 0))

    @property
    def checksum_base64_crc32c(self) -> str:
        """Of what has been read so far."""
        return base64.b64encode(self._digests["crc32c"].digest()).decode()

    @property
    def md5_hex(self) -> str:
        """Of what has been read so far."""
        return self._digests["md5"].digest().hex()

    async def chunks(self) -> AsyncIterator[bytes]:
        """The content; it ends only if it is what was announced.

        Raises
        ------
        BodyIncomplete, DigestDiffers, ArgumentInvalid
            If it is not, at the latest in place of the end.
        """
        async for chunk in self._raw:
            self.size_bytes += len(chunk)
            for digest in self._digests.values():
                digest.update(chunk)
            yield chunk
        if self._decoded_bytes not in (None, self.size_bytes):
            raise BodyIncomplete
        for name, announced in (self._announced | _announced(self._trailers)).items():
            if name in self._digests and not hmac.compare_digest(self._digests[name].digest(), announced):
                raise DigestDiffers(name=name.upper())


def _announced(fields: Mapping[str, str]) -> dict[str, bytes]:
    """The checksums among headers or trailers, by their names."""
    found = {field.removeprefix(_CHECKSUM): value for field, value in fields.items() if field.startswith(_CHECKSUM)}
    return {name: _decoded(_CHECKSUM + name, value) for name, value in found.items() if name in _DIGESTS}


def _decoded(field: str, value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        raise ArgumentInvalid(fault=f"'{field}' is not base64") from None


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise ArgumentInvalid(fault="'x-amz-decoded-content-length' is missing, or is not a number")
    return int(text)
