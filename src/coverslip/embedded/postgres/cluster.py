"""Make a PostgreSQL data directory, once."""

import shutil
import subprocess
from pathlib import Path

from coverslip.embedded.errors import DatabaseNotCreated, DatabaseVersionMismatch, FolderUnusable
from coverslip.embedded.postgres.connection import SUPERUSER
from coverslip.embedded.postgres.environment import postgres_environment
from coverslip.embedded.postgres.place import PostgresPlace
from coverslip.embedded.private_file import write_private
from coverslip.embedded.secrets import Secrets

_INITDB_LIMIT_S = 300


def ensure_cluster(place: PostgresPlace, secrets: Secrets) -> None:
    """Create the data directory if there is none; every connection to it needs a password (SCRAM-SHA-256).

    It is made beside its final place and then renamed, so that an interrupted creation leaves nothing half done.

    Raises
    ------
    DatabaseVersionMismatch
        If the data belongs to another major version of PostgreSQL.
    DatabaseNotCreated
        If PostgreSQL's own `initdb` fails.
    FolderUnusable
        If the folder cannot be written.
    """
    version_file = place.data / "PG_VERSION"
    try:
        if version_file.exists():
            _check_version(place, version_file.read_text().strip())
        else:
            _create(place, secrets)
    except OSError as error:
        raise FolderUnusable(folder=place.data.parent, reason=error.strerror or error) from error


def _check_version(place: PostgresPlace, found: str) -> None:
    printed = _run(place, [place.binaries.program("postgres"), "--version"]).stdout.split()
    installed = printed[-1].split(".")[0]
    if found != installed:
        raise DatabaseVersionMismatch(data=place.data, found=found, installed=installed)


def _create(place: PostgresPlace, secrets: Secrets) -> None:
    partial = place.data.with_name("data.partial")
    password_file = place.data.with_name("password")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700)
    write_private(password_file, f"{secrets.database_password(SUPERUSER)}\n".encode())
    try:
        for path in (partial, password_file):
            if place.user:
                shutil.chown(path, place.user.uid, place.user.gid)
        created = _run(
            place,
            [
                place.binaries.program("initdb"),
                f"--pgdata={partial}",
                f"--username={SUPERUSER}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                # PostgreSQL's own C.UTF-8: the same order and case rules on every system, whatever its C library.
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
                "--data-checksums",
                "--no-instructions",
            ],
        )
    finally:
        password_file.unlink()
    if created.returncode != 0:
        shutil.rmtree(partial, ignore_errors=True)
        raise DatabaseNotCreated(data=place.data, reason=created.stderr.strip() or created.stdout.strip())
    partial.rename(place.data)


def _run(place: PostgresPlace, argv: list[str]) -> subprocess.CompletedProcess[str]:
    user = place.user
    return subprocess.run(
        argv,
        env=postgres_environment(),
        cwd=Path("/") if user else place.data.parent,
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=[] if user else None,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_INITDB_LIMIT_S,
        check=False,
    )
