"""Objects in a bucket of S3, of Google Cloud Storage, or of a store that speaks S3."""

import contextlib
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime
from urllib.parse import quote

import httpx
import obstore
from anyio.to_thread import run_sync
from obstore.exceptions import BaseError
from obstore.store import GCSStore, S3Store

from coverslip.service.errors import ServiceError
from coverslip.service.storage.errors import ObjectKeyInvalid, ObjectNotFound, ObjectTooLarge, StoreUnavailable
from coverslip.service.storage.query_signing import QuerySigner
from coverslip.service.storage.store import Area, ObjectKey, ObjectStat
from coverslip.service.storage.unfinished import abort_unfinished_uploads
from coverslip.service.storage.verifying import verified

MAX_PUT_BYTES = 5 * 1024**3
"""What S3 takes in one PUT."""

_READ_BYTES = 8 * 1024**2
_PART_BYTES = 16 * 1024**2
_MAX_PARTS = 10_000
_MAX_PATH_BYTES = 1024
_PARALLEL = 4
_LISTED_AT_ONCE = 1000

log = logging.getLogger(__name__)


class CloudStore:
    """An ``ObjectStore`` in a bucket.

    Such a store keeps whatever is PUT to a signed URL, as often as it is: S3 refuses another size, but no store another
    checksum. So what is uploaded is but a part, until `join` has read it, found it to be what was announced, and
    written it to a key for which nobody has a URL for PUT.

    Parameters
    ----------
    bucket
        The bucket, opened at ``prefix``.
    prefix
        Where in the bucket the objects are, without slashes around it; may be empty.
    signer
        Signs URLs of the bucket.
    """

    def __init__(self, bucket: S3Store | GCSStore, prefix: str, signer: QuerySigner) -> None:
        self._bucket = bucket
        self._root = f"{prefix}/" if prefix else ""
        self._signer = signer

    def sign_get(
        self, key: ObjectKey, *, expires_in_s: int, file_name: str | None = None, media_type: str | None = None
    ) -> str:
        parameters = {}
        if file_name is not None:
            parameters["response-content-disposition"] = f"attachment; filename*=UTF-8''{quote(file_name, safe='')}"
        if media_type is not None:
            parameters["response-content-type"] = media_type
        return self._signer.sign("GET", self._path(key), expires_in_s=expires_in_s, parameters=parameters)

    def sign_put(self, key: ObjectKey, *, expires_in_s: int, size_bytes: int, checksum_base64_crc32c: str) -> str:
        """A URL for one PUT.

        Raises
        ------
        ObjectTooLarge
            If no such store takes that many bytes at once.
        """
        if size_bytes > MAX_PUT_BYTES:
            raise ObjectTooLarge(size_bytes=size_bytes, most_bytes=MAX_PUT_BYTES)
        headers = {"content-length": str(size_bytes)} if self._signer.signs_length else {}
        return self._signer.sign("PUT", self._path(key), expires_in_s=expires_in_s, headers=headers)

    def owned_key(self, url: str) -> ObjectKey | None:
        path = self._signer.path_of("GET", url)
        if path is None or not path.startswith(self._root):
            return None
        area, _, rest = path.removeprefix(self._root).partition("/")
        return ObjectKey(Area(area), rest) if area in tuple(Area) else None

    def _path(self, key: ObjectKey) -> str:
        path = f"{self._root}{key}"
        if len(path.encode()) > _MAX_PATH_BYTES:
            raise ObjectKeyInvalid(path=key.path, fault="it is too long for the object store")
        return path

    async def stat(self, key: ObjectKey) -> ObjectStat | None:
        try:
            with _asking():
                meta = await obstore.head_async(self._bucket, str(key))
        except ObjectNotFound:
            return None
        return ObjectStat(key, meta["size"])

    async def open_range(self, key: ObjectKey, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        stat = await self.stat(key)
        if stat is None:
            raise ObjectNotFound
        end = stat.size_bytes if end is None else min(end, stat.size_bytes)
        # Short requests, each of which the client repeats by itself.
        for offset in range(start, end, _READ_BYTES):
            with _asking():
                chunk = await obstore.get_range_async(
                    self._bucket, str(key), start=offset, end=min(offset + _READ_BYTES, end)
                )
            yield chunk.to_bytes()

    async def list(self, area: Area, prefix: str) -> AsyncIterator[ObjectStat]:
        # Only whole parts of a path can be asked for.
        folder = f"{area}/{prefix}".rpartition("/")[0]
        batches = obstore.list(self._bucket, folder, chunk_size=_LISTED_AT_ONCE)
        while True:
            with _asking():
                batch = await anext(batches, None)
            if batch is None:
                return
            for meta in batch:
                name = meta["path"].removeprefix(f"{area}/")
                if name.startswith(prefix):
                    yield ObjectStat(ObjectKey(area, name), meta["size"])

    async def write(self, key: ObjectKey, chunks: AsyncIterator[bytes]) -> None:
        await self._write(key, chunks, part_bytes=_PART_BYTES)

    async def join(
        self, parts: Sequence[ObjectKey], key: ObjectKey, *, size_bytes: int, checksum_base64_crc32c: str
    ) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            for part in parts:
                async for chunk in self.open_range(part):
                    yield chunk

        content = verified(chunks(), size_bytes=size_bytes, checksum_base64_crc32c=checksum_base64_crc32c)
        await self._write(key, content, part_bytes=max(_PART_BYTES, -(-size_bytes // _MAX_PARTS)))

    async def _write(self, key: ObjectKey, chunks: AsyncIterator[bytes], *, part_bytes: int) -> None:
        beginning = bytearray()
        async for chunk in chunks:
            beginning += chunk
            if len(beginning) > part_bytes:
                break
        else:
            with _asking(missing=StoreUnavailable):
                await obstore.put_async(self._bucket, str(key), bytes(beginning), use_multipart=False)
            return

        async def whole() -> AsyncIterator[bytes]:
            yield bytes(beginning)
            beginning.clear()
            async for chunk in chunks:
                yield chunk

        # An error of the chunks makes the client abort: nothing is kept, neither object nor parts.
        with _asking(missing=StoreUnavailable):
            await obstore.put_async(self._bucket, str(key), whole(), chunk_size=part_bytes, max_concurrency=_PARALLEL)

    async def drop_unfinished(self, begun_before: datetime) -> None:
        prefixes = tuple(f"{self._root}{area}/" for area in Area)
        try:
            await run_sync(abort_unfinished_uploads, self._signer, prefixes, begun_before)
        except (httpx.TransportError, ValueError) as error:
            log.error("the object store failed: %s", error)
            raise StoreUnavailable from error

    async def delete(self, key: ObjectKey) -> None:
        with contextlib.suppress(ObjectNotFound), _asking():
            await obstore.delete_async(self._bucket, str(key))


@contextlib.contextmanager
def _asking(missing: type[ServiceError] = ObjectNotFound) -> Iterator[None]:
    """The client's errors as ours.

    Parameters
    ----------
    missing
        What it means that something is not there. It is nothing to write to that can be missing; but a store with a
        file system below says so when another request has just removed the empty folder.
    """
    try:
        yield
    except FileNotFoundError:
        raise missing from None
    except BaseError as error:
        log.error("the object store failed: %s", str(error).partition("\n")[0])
        raise StoreUnavailable from error
