"""Bringing the schema up to date."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, make_url, text

from coverslip.contract.errors import CoverslipError
from coverslip.service.database.engine import psycopg_url
from coverslip.service.settings import ServiceSettings

_MINIMUM_POSTGRESQL = 160000

# Any constant will do: it only has to be the same in every process that migrates.
_LOCK = 0x6D696772


class DatabaseNewer(CoverslipError):
    """The database was written by a newer Coverslip (revision {revision}). Install that version, or restore a backup
    made before the upgrade; this one would damage what it does not know."""

    code = "DATABASE.NEWER"


class PostgresqlTooOld(CoverslipError):
    """The database server is PostgreSQL {version}; Coverslip needs 16 or newer."""

    code = "DATABASE.POSTGRESQL_TOO_OLD"


def migration_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, without a file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def migrate(settings: ServiceSettings) -> str:
    """Apply every migration that is missing, as the owner of the schema; returns the revision reached.

    Raises
    ------
    DatabaseNewer
        If the database has a revision that this package does not know.
    PostgresqlTooOld
        If the server is older than what the queries need.
    """
    service_url = settings.database_url.get_secret_value()
    owner_url = (settings.database_owner_url or settings.database_url).get_secret_value()
    reader_url = (settings.database_reader_url or settings.database_url).get_secret_value()
    engine = create_engine(psycopg_url(owner_url))
    with engine.connect() as connection:
        server = int(connection.execute(text("show server_version_num")).scalar_one())
        if server < _MINIMUM_POSTGRESQL:
            raise PostgresqlTooOld(version=server // 10000)
        connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": _LOCK})
        connection.commit()
        config = migration_config(connection)
        config.attributes["service_role"] = make_url(service_url).username
        config.attributes["reader_role"] = make_url(reader_url).username
        scripts = ScriptDirectory.from_config(config)
        current = MigrationContext.configure(connection).get_current_revision()
        connection.commit()
        if current is not None and current not in {script.revision for script in scripts.walk_revisions()}:
            raise DatabaseNewer(revision=current)
        command.upgrade(config, "head")
        connection.commit()
    engine.dispose()
    return str(scripts.get_current_head())
