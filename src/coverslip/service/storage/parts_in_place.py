"""Parts received straight into their place in the object to come, so that joining them copies nothing.

The folder of an upload holds the file ``content``, which becomes the object, and an empty file for each part that is in
it, whole and on disk. Whoever writes to ``content`` holds its lock for each write, together with others; whoever makes
an object of it, or deletes it, holds the lock alone. So a part that arrives late, over a connection that was given up
long ago, finds it gone and changes no object.
"""

import contextlib
import os
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import anyio
from anyio.to_thread import run_sync

from coverslip.contract.uploads import UploadPart
from coverslip.service.storage.directory import DirectoryStore, move_into_place, storing
from coverslip.service.storage.errors import ObjectNotFound, UploadEnded
from coverslip.service.storage.store import Area, ObjectKey
from coverslip.service.storage.upload_rules import part_key
from coverslip.service.storage.verifying import verified

_CONTENT = "content"
_ARRIVED = ".arrived"
_NEXT_TRY_S = 0.02


class PartsInPlace:
    """`Multipart` in a directory."""

    def __init__(self, store: DirectoryStore) -> None:
        self._store = store

    def sign(self, prefix: str, part: UploadPart, *, expires_in_s: int, checksum_base64_crc32c: str) -> str:
        return self._store.sign_put(
            part_key(prefix, part.number),
            expires_in_s=expires_in_s,
            size_bytes=part.size_bytes,
            checksum_base64_crc32c=checksum_base64_crc32c,
            offset_bytes=part.offset_bytes,
        )

    async def receive(self, key: ObjectKey, offset_bytes: int, chunks: AsyncIterator[bytes]) -> None:
        """Write a part into its place. It has arrived once ``chunks`` have ended without an error.

        Raises
        ------
        UploadEnded
            If the upload is completed or dropped meanwhile.
        StoreFull
            If the disk is full.
        """
        arrived = self._store.file(key).with_suffix(_ARRIVED)
        with storing(key):
            file = await run_sync(_open, arrived, offset_bytes)
            try:
                async for chunk in chunks:
                    await run_sync(_write, file, chunk)
                await run_sync(_finish, file, arrived)
            finally:
                await run_sync(file.close)

    async def missing(self, prefix: str, parts: Sequence[UploadPart]) -> list[UploadPart]:
        names: set[str] = set()
        with contextlib.suppress(FileNotFoundError):
            names.update(await run_sync(os.listdir, self._content(prefix).parent))
        return [part for part in parts if _CONTENT not in names or _name(prefix, part) not in names]

    async def join(
        self,
        prefix: str,
        parts: Sequence[UploadPart],
        key: ObjectKey,
        *,
        size_bytes: int,
        checksum_base64_crc32c: str,
    ) -> None:
        content = self._content(prefix)
        async with _alone(content):
            # Read once more: each part was whole when it arrived, but another one may have been written over it since.
            chunks = self._store.open_range(_content_key(prefix))
            async for _ in verified(chunks, size_bytes=size_bytes, checksum_base64_crc32c=checksum_base64_crc32c):
                pass
            with storing(key):
                await run_sync(move_into_place, content, self._store.file(key))
            # Not before: whoever asks meanwhile would be told that they are missing.
            await run_sync(_forget_arrivals, content)

    async def drop(self, prefix: str) -> None:
        content = self._content(prefix)
        with contextlib.suppress(ObjectNotFound):
            async with _alone(content):
                await run_sync(content.unlink)
        async for stat in self._store.list(Area.PARTS, prefix):
            await self._store.delete(stat.key)

    def _content(self, prefix: str) -> Path:
        return self._store.file(_content_key(prefix))


def _content_key(prefix: str) -> ObjectKey:
    return ObjectKey(Area.PARTS, prefix + _CONTENT)


def _name(prefix: str, part: UploadPart) -> str:
    return part_key(prefix, part.number).path.removeprefix(prefix) + _ARRIVED


def _forget_arrivals(content: Path) -> None:
    with contextlib.suppress(FileNotFoundError):  # a deletion beside us does the same
        for arrived in content.parent.glob(f"*{_ARRIVED}"):
            arrived.unlink()


def _open(arrived: Path, offset_bytes: int) -> BinaryIO:
    """Where a part is to be written, which from now on has not arrived."""
    content = arrived.with_name(_CONTENT)
    while True:
        with contextlib.suppress(FileNotFoundError):  # a deletion beside us removed the folder, which was still empty
            content.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not content.exists():  # what a killed service has not forgotten arrived in an earlier content
                _forget_arrivals(content)
            content.touch()
            file = content.open("r+b", buffering=0)
            file.seek(offset_bytes)
            arrived.unlink(missing_ok=True)
            return file


def _write(file: BinaryIO, chunk: bytes) -> None:
    left = memoryview(chunk)
    with _shared(file):
        while left:
            left = left[file.write(left) :]


def _finish(file: BinaryIO, arrived: Path) -> None:
    os.fsync(file.fileno())
    with _shared(file):
        arrived.touch()


@contextlib.contextmanager
def _shared(file: BinaryIO) -> Iterator[None]:
    """Hold the lock of a content together with others.

    Raises
    ------
    UploadEnded
        If somebody holds it alone, or has.
    """
    try:
        _lock(file, alone=False)
    except BlockingIOError:
        raise UploadEnded from None
    try:
        if not _is_in_place(file):
            raise UploadEnded
        yield
    finally:
        _unlock(file)


@contextlib.asynccontextmanager
async def _alone(content: Path) -> AsyncIterator[None]:
    """Hold the lock of a content alone, as soon as nobody else does.

    Raises
    ------
    ObjectNotFound
        If there is no content, any more.
    """
    try:
        file = await run_sync(content.open, "rb")
    except FileNotFoundError:
        raise ObjectNotFound from None
    with file:
        while True:
            with contextlib.suppress(BlockingIOError):
                _lock(file, alone=True)
                break
            await anyio.sleep(_NEXT_TRY_S)
        if not _is_in_place(file):
            raise ObjectNotFound
        if sys.platform == "win32":
            file.close()
        yield


def _is_in_place(file: BinaryIO) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(file.name))  # noqa: PTH116
    except FileNotFoundError:
        return False


if sys.platform == "win32":  # which itself refuses to move or delete what anybody has open

    def _lock(file: BinaryIO, *, alone: bool) -> None:
        pass

    def _unlock(file: BinaryIO) -> None:
        pass

else:
    import fcntl

    def _lock(file: BinaryIO, *, alone: bool) -> None:
        """Take the lock; a BlockingIOError if somebody has it who does not share it."""
        fcntl.flock(file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)

    def _unlock(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
