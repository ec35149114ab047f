"""A backup holds everything, is verified, and overwrites nothing."""

import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from coverslip.embedded.backup import back_up, restore
from coverslip.embedded.errors import BackupDamaged, BackupExists, BackupFailed, BackupTooNew, RestoreTargetUsed
from coverslip.embedded.home import Home, home_at, open_home
from coverslip.embedded.lock import locked
from coverslip.embedded.postgres.bootstrap import bootstrap
from coverslip.embedded.postgres.place import open_place, system_folder_of
from coverslip.embedded.postgres.server import PostgresServer
from coverslip.embedded.secrets import Secrets

NOTES = "select text from note order by text"


def say(line: str) -> None:
    """Nobody listens."""


@pytest.fixture
def filled(database: PostgresServer, home: Home, secrets: Secrets) -> Home:
    """A home with a row in its database and three objects."""
    database.start()
    database.wait_until_ready()
    bootstrap(database.port, secrets)
    with psycopg.connect(database.url("owner")) as connection:
        connection.execute("create table note (text text); grant select on note to service")
        connection.execute("insert into note values ('kept')")
    database.stop()
    for name in ("inputs/org/a b+é.svs", "results/org/1/x%3Ay"):
        (home.store / name).parent.mkdir(parents=True)
        (home.store / name).write_bytes(name.encode() * 1000)
    # A result that was used again is the same file under another name.
    (home.store / "results/org/1/reused").hardlink_to(home.store / "results/org/1/x%3Ay")
    return home


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A place for another home."""
    yield tmp_path / "elsewhere"
    shutil.rmtree(system_folder_of(home_at(tmp_path / "elsewhere")), ignore_errors=True)


def _notes(home: Home) -> list[str]:
    server = PostgresServer(open_place(home), Secrets(home.secrets), home.logs)
    server.start()
    try:
        server.wait_until_ready()
        with psycopg.connect(server.url("service")) as connection:
            return [row[0] for row in connection.execute(NOTES)]
    finally:
        server.stop()


def _files(home: Home) -> dict[str, bytes]:
    return {
        path.relative_to(home.root).as_posix(): path.read_bytes()
        for folder in (home.store, home.secrets)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_everything_comes_back(filled: Home, tmp_path: Path, elsewhere: Path) -> None:
    archive = tmp_path / "backup.tar"
    content = back_up(filled, archive, say)
    assert content.objects == 3
    assert archive.stat().st_mode & 0o077 == 0
    assert restore(archive, elsewhere, say) == content
    restored = home_at(elsewhere)
    assert _files(restored) == _files(filled)
    assert _notes(restored) == ["kept"]


def test_a_running_database_is_backed_up_too(
    filled: Home, database: PostgresServer, tmp_path: Path, elsewhere: Path
) -> None:
    with locked(filled):
        database.start()
        database.wait_until_ready()
        back_up(filled, tmp_path / "backup.tar", say)
        assert database.alive()
    restore(tmp_path / "backup.tar", elsewhere, say)
    assert _notes(home_at(elsewhere)) == ["kept"]


def test_nothing_is_overwritten(filled: Home, tmp_path: Path) -> None:
    archive = tmp_path / "backup.tar"
    archive.write_bytes(b"precious")
    with pytest.raises(BackupExists, match="another name"):
        back_up(filled, archive, say)
    assert archive.read_bytes() == b"precious"
    archive.unlink()
    back_up(filled, archive, say)
    before = _files(filled)
    with pytest.raises(RestoreTargetUsed):
        restore(archive, filled.root, say)
    assert _files(filled) == before


def test_there_must_be_something_to_back_up(home: Home, tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match="no platform"):
        back_up(home, tmp_path / "backup.tar", say)
    assert not list(tmp_path.glob("backup*"))


@pytest.mark.parametrize("damage", ["cut", "flipped", "foreign", "newer"])
def test_a_damaged_backup_leaves_nothing_behind(filled: Home, tmp_path: Path, elsewhere: Path, damage: str) -> None:
    archive = tmp_path / "backup.tar"
    back_up(filled, archive, say)
    content = bytearray(archive.read_bytes())
    if damage == "cut":
        archive.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        content[content.index(b"inputs/org/a b+\xc3\xa9.svs" * 10) + 5] ^= 1
        archive.write_bytes(content)
    elif damage == "newer":
        archive.write_bytes(content.replace(b'"format": 1', b'"format": 9'))
    else:
        with tarfile.open(archive, "a") as tar:
            tar.addfile(tarfile.TarInfo("secrets/../../outside"))
    with pytest.raises(BackupTooNew if damage == "newer" else BackupDamaged):
        restore(archive, elsewhere, say)
    assert _files(open_home(elsewhere)) == {}
    assert not list(elsewhere.glob("restore-*"))
    assert not (tmp_path / "outside").exists()
