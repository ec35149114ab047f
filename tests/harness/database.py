"""A real PostgreSQL for tests: the one that `coverslip up` starts, without its care for power cuts."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import namedtuple_row

from coverslip.embedded.home import Home
from coverslip.embedded.postgres.bootstrap import bootstrap
from coverslip.embedded.postgres.connection import SUPERUSER, database_url
from coverslip.embedded.postgres.place import open_place
from coverslip.embedded.postgres.server import PostgresServer
from coverslip.embedded.secrets import ensure_secrets
from coverslip.service.database.migrate import migrate
from coverslip.service.database.tables import metadata
from coverslip.service.settings import ServiceSettings

# What the service writes when it starts, and what the migrations wrote.
_KEPT = {"application", "application_version", "version_document", "worker", "signing_key"}
_FAST = ("fsync", "synchronous_commit", "full_page_writes")


class TestDatabase:
    """The server, its URLs, and a superuser's connection for looking at rows and for arranging what time would do."""

    __test__ = False

    def __init__(self, home: Home) -> None:
        self.home = home
        self.secrets = ensure_secrets(home)
        self._server = PostgresServer(open_place(home), self.secrets, home.logs)

    def __enter__(self) -> "TestDatabase":
        self._server.prepare()
        self._server.start()
        self._server.wait_until_ready()
        bootstrap(self._server.port, self.secrets)
        self._connection = self.connect(SUPERUSER)
        for setting in _FAST:
            self._connection.execute(f"alter system set {setting} = off")
        self._connection.execute("select pg_reload_conf()")
        migrate(self.settings())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._connection.close()
        self._server.stop()

    def url(self, role: str) -> str:
        return database_url(self._server.port, role, self.secrets)

    def settings(self, **changes: Any) -> ServiceSettings:
        """Settings of a service on this database."""
        values: dict[str, Any] = {
            "database_url": self.url("service"),
            "database_owner_url": self.url("owner"),
            "database_reader_url": self.url("reader"),
            "store_url": self.home.store.as_uri(),
            "encryption_key_file": self.secrets.encryption_key,
            "store_key_file": self.secrets.store_key,
            "worker_token_file": self.secrets.worker_token,
        }
        return ServiceSettings(_env_file=None, **(values | changes))

    def connect(self, role: str) -> psycopg.Connection[Any]:
        """A connection in autocommit; the superuser's sees the rows of every organization."""
        return psycopg.connect(self.url(role), autocommit=True, row_factory=namedtuple_row)

    def rows(self, statement: str, *parameters: Any) -> Sequence[Any]:
        """Run a statement as the superuser."""
        cursor = self._connection.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []

    def forget_application(self, application_id: str) -> None:
        """Delete an application that other tests do not know, after `clear`."""
        for table in ("version_document", "application_version"):
            self.rows(f"delete from {table} where application_id = %s", application_id)
        self.rows("delete from application where id = %s", application_id)

    def clear(self) -> None:
        """Delete every row that a test may have made."""
        tables = [table.name for table in metadata.sorted_tables if table.name not in _KEPT]
        deletions = sql.SQL("; ").join(
            sql.SQL("delete from {}").format(sql.Identifier(name)) for name in reversed(tables)
        )
        self._connection.execute(deletions)
