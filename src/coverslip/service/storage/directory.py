"""Objects as plain files below one directory, opened by URLs that we sign and serve ourselves."""

import contextlib
import errno
import os
import secrets
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

import anyio
import psutil
from anyio.to_thread import run_sync

from coverslip.service.storage.errors import ObjectKeyInvalid, ObjectNotFound, StoreFull
from coverslip.service.storage.signing import UrlSigner
from coverslip.service.storage.store import Area, ObjectKey, ObjectStat
from coverslip.service.storage.verifying import verified

_CHUNK_BYTES = 1024 * 1024

# Beside the areas, on the same file system, so that a finished upload moves into place in one step.
_INCOMING = "incoming"


class DirectoryStore:
    """An ``ObjectStore`` in a directory.

    Parameters
    ----------
    root
        The directory; made if it does not exist.
    signer
        Signs the URLs that the store's routes check.
    """

    def __init__(self, root: Path, signer: UrlSigner) -> None:
        self._root = root
        self.signer = signer
        for name in (*Area, _INCOMING):
            (root / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        # What a killed service was receiving can never be finished; other services may be receiving right now.
        for leftover in (root / _INCOMING).iterdir():
            owner = int(leftover.name.partition("-")[0])
            if owner == os.getpid() or not psutil.pid_exists(owner):
                leftover.unlink(missing_ok=True)

    def sign_get(
        self, key: ObjectKey, *, expires_in_s: int, file_name: str | None = None, media_type: str | None = None
    ) -> str:
        parameters = {"file-name": file_name, "media-type": media_type}
        given = {name: value for name, value in parameters.items() if value is not None}
        return self.signer.sign("GET", str(key), expires_in_s, given)

    def sign_put(
        self,
        key: ObjectKey,
        *,
        expires_in_s: int,
        size_bytes: int,
        checksum_base64_crc32c: str,
        offset_bytes: int | None = None,
    ) -> str:
        """A URL for a PUT of exactly these bytes: of an object, or of a part that has its place at an offset."""
        parameters = {"size": str(size_bytes), "crc32c": checksum_base64_crc32c}
        if offset_bytes is not None:
            parameters["offset"] = str(offset_bytes)
        return self.signer.sign("PUT", str(key), expires_in_s, parameters)

    def owned_key(self, url: str) -> ObjectKey | None:
        path = self.signer.path_of("GET", url)
        if path is None:
            return None
        area, _, rest = path.partition("/")
        return ObjectKey(Area(area), rest)

    def file(self, key: ObjectKey) -> Path:
        """The file of an object, which need not exist.

        Raises
        ------
        ObjectKeyInvalid
            If a symbolic link leads out of the area.
        """
        area = self._root / key.area
        path = area / key.path
        if not path.resolve().is_relative_to(area.resolve()):
            raise ObjectKeyInvalid(path=key.path, fault="it leads out of its area")
        return path

    async def write(self, key: ObjectKey, chunks: AsyncIterator[bytes]) -> None:
        """Keep the object made of ``chunks``: whole, or, if they end with an error, not at all.

        Raises
        ------
        ObjectKeyInvalid
            If the key would have to be a file and a directory at once.
        StoreFull
            If the disk is full.
        """
        with self._incoming() as incoming, storing(key):
            async with await anyio.open_file(incoming, "xb") as file:
                async for chunk in chunks:
                    await file.write(chunk)
                await file.flush()
                await run_sync(os.fsync, file.wrapped.fileno())
            await run_sync(move_into_place, incoming, self.file(key))

    async def join(
        self, parts: Sequence[ObjectKey], key: ObjectKey, *, size_bytes: int, checksum_base64_crc32c: str
    ) -> None:
        check = partial(verified, size_bytes=size_bytes, checksum_base64_crc32c=checksum_base64_crc32c)
        if len(parts) == 1:
            with self._incoming() as incoming, storing(key):
                try:
                    # A file that is complete never changes, so it can be both: the part, and the object.
                    await run_sync(os.link, self.file(parts[0]), incoming)
                except FileNotFoundError:
                    raise ObjectNotFound from None
                await run_sync(os.utime, incoming)  # it is old only as a part
                async for _ in check(_read(incoming)):
                    pass
                await run_sync(move_into_place, incoming, self.file(key))
            return

        async def chunks() -> AsyncIterator[bytes]:
            for part in parts:
                async for chunk in self.open_range(part):
                    yield chunk

        await self.write(key, check(chunks()))

    @contextlib.contextmanager
    def _incoming(self) -> Iterator[Path]:
        """A name for what is not complete; nothing is left of it at the end."""
        incoming = self._root / _INCOMING / f"{os.getpid()}-{secrets.token_hex(16)}"
        try:
            yield incoming
        finally:
            incoming.unlink(missing_ok=True)

    async def stat(self, key: ObjectKey) -> ObjectStat | None:
        path = self.file(key)
        try:
            size_bytes = (await run_sync(path.stat)).st_size
        except (FileNotFoundError, NotADirectoryError):
            return None
        return ObjectStat(key, size_bytes) if path.is_file() else None

    async def open_range(self, key: ObjectKey, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        async for chunk in _read(self.file(key), start, end):
            yield chunk

    async def list(self, area: Area, prefix: str) -> AsyncIterator[ObjectStat]:
        root = self._root / area
        # Only the directory that the prefix names needs to be walked.
        start = root / prefix.rpartition("/")[0]
        for path, size_bytes in await run_sync(lambda: list(_files_below(start))):
            name = path.relative_to(root).as_posix()
            if name.startswith(prefix):
                yield ObjectStat(ObjectKey(area, name), size_bytes)

    async def drop_unfinished(self, begun_before: datetime) -> None:
        for leftover in (self._root / _INCOMING).iterdir():
            with contextlib.suppress(FileNotFoundError):  # complete by now
                if leftover.stat().st_mtime < begun_before.timestamp():
                    leftover.unlink()

    async def delete(self, key: ObjectKey) -> None:
        await run_sync(_delete, self.file(key), self._root / key.area)


@contextlib.contextmanager
def storing(key: ObjectKey) -> Iterator[None]:
    """What the file system says against the file of an object, as the store says it.

    Raises
    ------
    ObjectKeyInvalid
        If the key would have to be a file and a directory at once.
    StoreFull
        If the disk is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFull from error
        if error.errno in (errno.EEXIST, errno.ENOTDIR, errno.EISDIR):
            fault = "another object has a part of it as its key, or has it as a part of its own"
            raise ObjectKeyInvalid(path=key.path, fault=fault) from error
        raise


async def _read(path: Path, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
    try:
        file = await anyio.open_file(path, "rb")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise ObjectNotFound from None
    async with file:
        await file.seek(start)
        left = None if end is None else end - start
        while left is None or left > 0:
            chunk = await file.read(_CHUNK_BYTES if left is None else min(_CHUNK_BYTES, left))
            if not chunk:
                return
            left = None if left is None else left - len(chunk)
            yield chunk


def move_into_place(source: Path, target: Path) -> None:
    """Give a complete file its name, for good; what had that name before is replaced."""
    while True:
        try:
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            source.replace(target)
            break
        except (FileNotFoundError, FileExistsError):
            # A deletion beside us may remove a directory as soon as it is made, because it is still empty.
            if target.parent.is_file() or not source.exists():
                raise
    if sys.platform == "win32":  # which cannot open directories
        return
    directory = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _files_below(folder: Path) -> Iterator[tuple[Path, int]]:
    """Every file with its size; what is deleted meanwhile may be among them."""
    # os.walk passes over folders that are gone.
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                yield (path := Path(parent, name)), path.stat().st_size


def _delete(path: Path, area: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except NotADirectoryError:  # what could hold it is an object itself
        return
    # Leave no empty directories behind; one that is not empty any more ends the climb.
    for parent in path.parents:
        if parent == area:
            return
        try:
            parent.rmdir()
        except OSError:
            return
