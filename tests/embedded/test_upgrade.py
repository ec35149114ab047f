"""What an older package wrote is taken up by this one; what a newer one wrote is left alone."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from alembic.script import ScriptDirectory
from typer.testing import CliRunner, Result

from coverslip.cli.main import app
from coverslip.embedded.backup import back_up, restore
from coverslip.embedded.errors import HomeTooNew, ProcessFailed
from coverslip.embedded.home import LAYOUT_VERSION, Home, home_at, open_home
from coverslip.embedded.platform import EmbeddedPlatform
from coverslip.embedded.ports import free_port
from coverslip.embedded.postgres.connection import database_url
from coverslip.embedded.postgres.place import data_folder_of, open_place, system_folder_of
from coverslip.embedded.postgres.postmaster import read_postmaster_file
from coverslip.embedded.postgres.server import PostgresServer
from coverslip.embedded.secrets import Secrets
from coverslip.service.database.migrate import migration_config
from embedded.old_home import EMAIL, ITEM_IDS, RUN_ID, fill, result_of

pytestmark = pytest.mark.process

NEWEST_REVISION = ScriptDirectory.from_config(migration_config()).get_current_head()


@pytest.fixture
def old_home(home: Home, database: PostgresServer) -> Home:
    """A home that the first release left behind."""
    fill(home, database)
    home.layout_file.write_text("0\n")
    home.remember_port(free_port())
    return home


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A place for another home."""
    yield tmp_path / "elsewhere"
    shutil.rmtree(system_folder_of(home_at(tmp_path / "elsewhere")), ignore_errors=True)


@contextmanager
def _database(home: Home) -> "Iterator[psycopg.Connection[tuple[object, ...]]]":
    """The owner's connection to the database of a platform that does not run."""
    server = PostgresServer(open_place(home), Secrets(home.secrets), home.logs)
    server.start()
    try:
        server.wait_until_ready()
        with psycopg.connect(server.url("owner")) as connection:
            yield connection
    finally:
        server.stop()


def _revision(home: Home) -> str:
    """The revision of a database that runs."""
    running = read_postmaster_file(data_folder_of(home))
    assert running is not None
    with psycopg.connect(database_url(running.port, "owner", Secrets(home.secrets))) as connection:
        row = connection.execute("select version_num from alembic_version").fetchone()
    assert row is not None
    return str(row[0])


def _coverslip(*arguments: object) -> Result:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    return done


def _assert_that_the_run_is_there(home: Home, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start this package on the home, and look at the old run by the commands that its owner would type."""
    monkeypatch.setenv("COVERSLIP_HOME", str(home.root))
    monkeypatch.delenv("COVERSLIP_API_ROOT", raising=False)
    with EmbeddedPlatform(open_home(home.root)) as platform:
        _coverslip("user", "login", "--link", platform.login_link(EMAIL))
        (listed,) = json.loads(
            _coverslip("application", "run", "list", "--query", "upgrade", "--format", "json").stdout
        )
        assert listed["run_id"] == str(RUN_ID)
        assert listed["statistics"]["item_succeeded_count"] == 2
        _coverslip("application", "run", "result", "download", RUN_ID, results)
        assert _revision(home) == NEWEST_REVISION
    brought = {path.parent.name: path.read_bytes() for path in results.rglob("*.csv")}
    assert brought == {Path(slide).stem: result_of(slide) for slide in ITEM_IDS}
    assert home.layout_file.read_text() == f"{LAYOUT_VERSION}\n"


def test_an_old_home_is_taken_up(old_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _assert_that_the_run_is_there(old_home, tmp_path / "results", monkeypatch)


def test_an_old_backup_is_restored_into_this_version(
    old_home: Home, elsewhere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(old_home, tmp_path / "old.backup", lambda line: None)
    restore(tmp_path / "old.backup", elsewhere, lambda line: None)
    _assert_that_the_run_is_there(home_at(elsewhere), tmp_path / "results", monkeypatch)


def test_a_newer_database_is_left_alone(old_home: Home) -> None:
    with _database(old_home) as connection:
        connection.execute("update alembic_version set version_num = 'of-the-future'")
    with pytest.raises(ProcessFailed, match="written by a newer Coverslip"), EmbeddedPlatform(open_home(old_home.root)):
        pass
    with _database(old_home) as connection:
        assert connection.execute("select version_num from alembic_version").fetchone() == ("of-the-future",)


def test_a_newer_home_is_left_alone(home: Home) -> None:
    home.layout_file.write_text(f"{LAYOUT_VERSION + 1}\n")
    with pytest.raises(HomeTooNew, match="newer version"):
        open_home(home.root)
    assert home.layout_file.read_text() == f"{LAYOUT_VERSION + 1}\n"
