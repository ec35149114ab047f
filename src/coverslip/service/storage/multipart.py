"""Parts of uploads, the way that suits the store."""

from collections.abc import Sequence
from typing import Protocol

from coverslip.contract.uploads import UploadPart
from coverslip.service.storage.directory import DirectoryStore
from coverslip.service.storage.parts_in_place import PartsInPlace
from coverslip.service.storage.store import Area, ObjectKey, ObjectStore
from coverslip.service.storage.upload_rules import part_key


class Multipart(Protocol):
    """Takes the parts of an upload and makes an object of them. Each method is told the upload's ``prefix``."""

    def sign(self, prefix: str, part: UploadPart, *, expires_in_s: int, checksum_base64_crc32c: str) -> str:
        """A URL for a PUT of this part, with exactly these bytes."""
        ...

    async def missing(self, prefix: str, parts: Sequence[UploadPart]) -> list[UploadPart]:
        """Those of ``parts`` that have not arrived."""
        ...

    async def join(
        self,
        prefix: str,
        parts: Sequence[UploadPart],
        key: ObjectKey,
        *,
        size_bytes: int,
        checksum_base64_crc32c: str,
    ) -> None:
        """Make one object of ``parts``, which have all arrived: complete and verified, or not at all.

        Raises
        ------
        ObjectNotFound
            If a part is not there any more: the upload was completed or dropped meanwhile.
        SizeDiffers, ChecksumDiffers
            If the parts together are not those bytes.
        """
        ...

    async def drop(self, prefix: str) -> None:
        """Delete what has arrived."""
        ...


def multipart(store: ObjectStore) -> Multipart:
    """How this store takes parts."""
    return PartsInPlace(store) if isinstance(store, DirectoryStore) else SeparateParts(store)


class SeparateParts:
    """Each part is an object, and joining them makes another one."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def sign(self, prefix: str, part: UploadPart, *, expires_in_s: int, checksum_base64_crc32c: str) -> str:
        return self._store.sign_put(
            part_key(prefix, part.number),
            expires_in_s=expires_in_s,
            size_bytes=part.size_bytes,
            checksum_base64_crc32c=checksum_base64_crc32c,
        )

    async def missing(self, prefix: str, parts: Sequence[UploadPart]) -> list[UploadPart]:
        arrived = {stat.key: stat.size_bytes async for stat in self._store.list(Area.PARTS, prefix)}
        return [part for part in parts if arrived.get(part_key(prefix, part.number)) != part.size_bytes]

    async def join(
        self,
        prefix: str,
        parts: Sequence[UploadPart],
        key: ObjectKey,
        *,
        size_bytes: int,
        checksum_base64_crc32c: str,
    ) -> None:
        keys = [part_key(prefix, part.number) for part in parts]
        await self._store.join(keys, key, size_bytes=size_bytes, checksum_base64_crc32c=checksum_base64_crc32c)

    async def drop(self, prefix: str) -> None:
        async for stat in self._store.list(Area.PARTS, prefix):
            await self._store.delete(stat.key)
