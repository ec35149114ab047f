"""Backup of an embedded platform into one file, and a platform made anew of such a file.

The file is a tar archive: a dump of the database, the secrets, every object, and last a manifest with the size and
SHA-256 of each. It holds the platform's keys and all slides: keep it as you keep the platform.
"""

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, cast

from coverslip import __version__
from coverslip.embedded.errors import (
    AlreadyRunning,
    BackupDamaged,
    BackupExists,
    BackupFailed,
    BackupTooNew,
    RestoreTargetUsed,
)
from coverslip.embedded.home import LAYOUT_VERSION, Home, open_home
from coverslip.embedded.lock import locked
from coverslip.embedded.postgres.binaries import find_binaries
from coverslip.embedded.postgres.bootstrap import bootstrap
from coverslip.embedded.postgres.connection import DATABASE, HOST, SUPERUSER
from coverslip.embedded.postgres.place import data_folder_of, open_place
from coverslip.embedded.postgres.postmaster import read_postmaster_file
from coverslip.embedded.postgres.server import PostgresServer
from coverslip.embedded.secrets import Secrets, ensure_secrets

FORMAT_VERSION = 1
_MANIFEST = "manifest.json"
_DUMP = "database.dump"
_CHUNK_BYTES = 1024 * 1024

Say = Callable[[str], None]


@dataclass(frozen=True)
class Content:
    """How much a backup holds."""

    objects: int
    size_bytes: int


class _Hashing:
    """A file whose bytes are hashed as they are read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._digest.update(data)
        self.size_bytes += len(data)
        return data

    @property
    def entry(self) -> dict[str, object]:
        return {"size_bytes": self.size_bytes, "sha256": self._digest.hexdigest()}


def back_up(home: Home, archive: Path, say: Say) -> Content:
    """Write a backup of the platform on ``home``, which may be running.

    The database is dumped first, as it is at one instant. Objects that are added later are left out or harmless;
    objects deleted meanwhile were deleted by somebody who wanted that.

    Raises
    ------
    BackupExists
        If there is a file of that name: nothing is ever overwritten.
    BackupFailed
        If the database cannot be dumped or the archive not be written.
    """
    if archive.exists():
        raise BackupExists(archive=archive)
    partial = archive.with_name(f"{archive.name}.partial")
    try:
        with _database_port(home) as port, tempfile.TemporaryDirectory(dir=home.run) as temporary:
            say("Dumping the database")
            dump = Path(temporary) / _DUMP
            _run("pg_dump", port, home, "--format=custom", f"--file={dump}", DATABASE)
            say("Copying secrets and objects")
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                content = _write(file, home, dump)
                file.flush()
                os.fsync(file.fileno())
        partial.replace(archive)
    except OSError as error:
        raise BackupFailed(reason=error) from error
    finally:
        partial.unlink(missing_ok=True)
    return content


def _write(file: IO[bytes], home: Home, dump: Path) -> Content:
    entries: dict[str, dict[str, object]] = {}
    # Objects that are copies of each other may be one file with two names; each is kept as a file of its own.
    with tarfile.open(fileobj=file, mode="w|", dereference=True) as tar:
        for name, path in [(_DUMP, dump), *_files(home)]:
            try:
                source = path.open("rb")
            except FileNotFoundError:
                continue  # deleted since it was listed
            with source:
                hashing = _Hashing(source)
                member = tar.gettarinfo(arcname=name, fileobj=source)
                tar.addfile(member, cast("IO[bytes]", hashing))
                entries[name] = hashing.entry
        manifest = {
            "format": FORMAT_VERSION,
            "coverslip": __version__,
            "layout": LAYOUT_VERSION,
            "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "files": entries,
        }
        text = json.dumps(manifest, indent=1).encode()
        member = tarfile.TarInfo(_MANIFEST)
        member.size = len(text)
        with tempfile.SpooledTemporaryFile() as buffer:
            buffer.write(text)
            buffer.seek(0)
            tar.addfile(member, cast("IO[bytes]", buffer))
    sizes = [cast("int", entry["size_bytes"]) for entry in entries.values()]
    return Content(sum(name.startswith("store/") for name in entries), sum(sizes))


def _files(home: Home) -> Iterator[tuple[str, Path]]:
    for folder in (home.secrets, home.store / "inputs", home.store / "results", home.store / "parts"):
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                yield path.relative_to(home.root).as_posix(), path


def restore(archive: Path, root: Path | None, say: Say) -> Content:
    """Make a platform of a backup, on a home that holds none.

    Everything is verified while it is unpacked, before the database is made: a damaged backup leaves nothing behind.

    Raises
    ------
    RestoreTargetUsed
        If the home holds a platform.
    BackupDamaged, BackupTooNew, BackupFailed
    """
    home = open_home(root)
    if any(home.secrets.iterdir()) or any(home.store.iterdir()) or data_folder_of(home).exists():
        raise RestoreTargetUsed(home=home.root)
    with locked(home), tempfile.TemporaryDirectory(dir=home.root, prefix="restore-") as temporary:
        say("Unpacking and verifying")
        unpacked = Path(temporary)
        content = _unpack(archive, unpacked)
        for name in ("secrets", "store"):
            shutil.rmtree(home.root / name)
            source = unpacked / name
            source.mkdir(exist_ok=True)
            source.chmod(0o700)
            source.rename(home.root / name)
        say("Making the database")
        secrets = ensure_secrets(home)
        server = PostgresServer(open_place(home), secrets, home.logs)
        try:
            server.prepare()
            server.start()
            server.wait_until_ready()
            bootstrap(server.port, secrets)
            arguments = ("--exit-on-error", "--single-transaction", f"--dbname={DATABASE}", str(unpacked / _DUMP))
            _run("pg_restore", server.port, home, *arguments)
        finally:
            server.stop()
    return content


def _unpack(archive: Path, target: Path) -> Content:
    found: dict[str, dict[str, object]] = {}
    manifest: dict[str, object] | None = None
    try:
        with tarfile.open(archive, "r|") as tar:
            for member in tar:
                source = tar.extractfile(member)
                if source is None or not _is_safe(member.name):
                    raise BackupDamaged(archive=archive, reason=f"it holds {member.name!r}, which no backup does")
                if member.name == _MANIFEST:
                    manifest = json.loads(source.read())
                    continue
                path = target / member.name
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                hashing = _Hashing(source)
                with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                    shutil.copyfileobj(hashing, file, _CHUNK_BYTES)
                found[member.name] = hashing.entry
    except (tarfile.TarError, ValueError, EOFError) as error:
        raise BackupDamaged(archive=archive, reason=error) from error
    except OSError as error:
        raise BackupFailed(reason=error) from error
    if manifest is None:
        raise BackupDamaged(archive=archive, reason="its end is missing")
    if cast("int", manifest["format"]) > FORMAT_VERSION or cast("int", manifest["layout"]) > LAYOUT_VERSION:
        raise BackupTooNew(archive=archive, version=manifest["coverslip"])
    if manifest["files"] != found:
        stated = cast("dict[str, object]", manifest["files"])
        wrong = sorted(name for name in stated.keys() | found.keys() if stated.get(name) != found.get(name))
        raise BackupDamaged(archive=archive, reason=f"{len(wrong)} of its files differ, the first is {wrong[0]}")
    sizes = [cast("int", entry["size_bytes"]) for entry in found.values()]
    return Content(sum(name.startswith("store/") for name in found), sum(sizes))


def _is_safe(name: str) -> bool:
    path = PurePosixPath(name)
    is_ours = name in (_DUMP, _MANIFEST) or path.parts[0] in ("secrets", "store")
    return is_ours and not path.is_absolute() and ".." not in path.parts


@contextmanager
def _database_port(home: Home) -> Iterator[int]:
    """The port of the home's database: of the platform that runs, else of a server started for the purpose."""
    try:
        with locked(home):
            server = PostgresServer(open_place(home), Secrets(home.secrets), home.logs)
            if not (server.place.data / "PG_VERSION").exists():
                raise BackupFailed(reason=f"there is no platform on {home.root}")
            try:
                server.start()
                server.wait_until_ready()
                yield server.port
            finally:
                server.stop()
    except AlreadyRunning:
        running = read_postmaster_file(data_folder_of(home))
        if running is None:
            raise
        yield running.port


def _run(program: str, port: int, home: Home, *arguments: str) -> None:
    """Run a client program of PostgreSQL as its superuser."""
    connection = [f"--host={HOST}", f"--port={port}", f"--username={SUPERUSER}", "--no-password"]
    ended = subprocess.run(
        [find_binaries().program(program), *connection, *arguments],
        env={"PGPASSWORD": Secrets(home.secrets).database_password(SUPERUSER), "PATH": os.environ.get("PATH", "")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        raise BackupFailed(reason=ended.stderr.strip()[-500:])
