"""The one interface to objects, whatever keeps them."""

import base64
import unicodedata
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from coverslip.service.storage.errors import ObjectKeyInvalid

_MAX_PATH_BYTES = 1024
_MAX_PART_BYTES = 255

# Control characters, halves of surrogate pairs, line and paragraph separators.
_UNUSABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})


class Area(StrEnum):
    """Inputs and results are kept apart, and both from parts: all that is uploaded and not yet joined.

    Documents are those of application versions, which come with the applications.
    Clients and workers get URLs for PUT of parts only, so nothing they send can touch an input or a result.
    """

    INPUTS = "inputs"
    RESULTS = "results"
    PARTS = "parts"
    DOCUMENTS = "documents"


@dataclass(frozen=True)
class ObjectKey:
    """Where an object is: an area and a relative path in it, with ``/`` between its parts.

    Raises
    ------
    ObjectKeyInvalid
        If the path could lead out of its area, or is too long for common file systems.
    """

    area: Area
    path: str

    def __post_init__(self) -> None:
        parts = self.path.split("/")
        if any(part in ("", ".", "..") for part in parts):
            fault = "it has an empty part, '.' or '..'"
        elif "\\" in self.path or any(unicodedata.category(character) in _UNUSABLE for character in self.path):
            fault = "it has a backslash or a control character"
        elif len(self.path.encode(errors="replace")) > _MAX_PATH_BYTES:
            fault = f"it is longer than {_MAX_PATH_BYTES} bytes"
        elif any(len(part.encode(errors="replace")) > _MAX_PART_BYTES for part in parts):
            fault = f"a part of it is longer than {_MAX_PART_BYTES} bytes"
        else:
            return
        raise ObjectKeyInvalid(path=self.path[:200], fault=fault)

    def __str__(self) -> str:
        return f"{self.area}/{self.path}"


@dataclass(frozen=True)
class ObjectStat:
    """An object that exists."""

    key: ObjectKey
    size_bytes: int


def content_name(size_bytes: int, checksum_base64_crc32c: str) -> str:
    """What tells contents apart: put into keys, so that none is written twice with different bytes."""
    return f"{base64.b64decode(checksum_base64_crc32c).hex()}-{size_bytes}"


class ObjectStore(Protocol):
    """Keeps objects and hands out URLs that open one object for one method until they expire."""

    def sign_get(
        self, key: ObjectKey, *, expires_in_s: int, file_name: str | None = None, media_type: str | None = None
    ) -> str:
        """A URL for GET, with ranges; a ``file_name`` makes browsers save the object under it."""
        ...

    def sign_put(self, key: ObjectKey, *, expires_in_s: int, size_bytes: int, checksum_base64_crc32c: str) -> str:
        """A URL for a PUT of exactly these bytes. A store may keep others, but does not join them."""
        ...

    def owned_key(self, url: str) -> ObjectKey | None:
        """The object that a URL signed by this store for GET opens, expired or not; None for any other URL."""
        ...

    async def stat(self, key: ObjectKey) -> ObjectStat | None:
        """The object's size, or None if there is no such object."""
        ...

    def open_range(self, key: ObjectKey, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from ``start`` up to, not including, ``end``.

        Raises
        ------
        ObjectNotFound
            If there is no such object.
        """
        ...

    def list(self, area: Area, prefix: str) -> AsyncIterator[ObjectStat]:
        """Every object of the area whose path starts with ``prefix``, in no order."""
        ...

    async def write(self, key: ObjectKey, chunks: AsyncIterator[bytes]) -> None:
        """Keep the object made of ``chunks``: whole, or, if they end with an error, not at all."""
        ...

    async def join(
        self, parts: Sequence[ObjectKey], key: ObjectKey, *, size_bytes: int, checksum_base64_crc32c: str
    ) -> None:
        """Make one object of ``parts``, in their order: complete and verified, or not at all. The parts stay.

        Raises
        ------
        ObjectNotFound
            If a part is not there.
        SizeDiffers, ChecksumDiffers
            If the parts together are not those bytes.
        """
        ...

    async def drop_unfinished(self, begun_before: datetime) -> None:
        """Drop what killed services have left of objects that they began to write before that time."""
        ...

    async def delete(self, key: ObjectKey) -> None:
        """Delete the object; that there is none is no error."""
        ...
