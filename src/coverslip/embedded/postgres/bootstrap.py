"""The database `coverslip` and the roles that use it."""

import psycopg
from psycopg import sql

from coverslip.embedded.postgres.connection import DATABASE, HOST, SUPERUSER
from coverslip.embedded.secrets import Secrets

OWNER = "owner"
_ROLES = (OWNER, "service", "reader")


def bootstrap(port: int, secrets: Secrets) -> None:
    """Make the roles with the passwords of `secrets`, and the database; safe to repeat.

    `owner` owns the database and so may define its tables. `service` and `reader` may connect; what they may do with
    tables is granted by the migrations that define these. Nobody else may connect.

    Raises
    ------
    psycopg.Error
        If the server refuses.
    """
    with _superuser("postgres", port, secrets) as connection:
        for role in _ROLES:
            _ensure_role(connection, role, secrets.database_password(role))
        _ensure_database(connection)
        for database in (DATABASE, "postgres", "template1"):
            _execute(connection, "REVOKE ALL ON DATABASE {} FROM PUBLIC", database)
        _execute(connection, "GRANT CONNECT ON DATABASE {} TO {}, {}", DATABASE, *_ROLES[1:])


def _superuser(database: str, port: int, secrets: Secrets) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host=HOST,
        port=port,
        dbname=database,
        user=SUPERUSER,
        password=secrets.database_password(SUPERUSER),
        connect_timeout=10,
        # The bundled server has no TLS and listens on loopback only; settings of the user must not ask for it.
        sslmode="disable",
        gssencmode="disable",
        autocommit=True,
    )


def _ensure_role(connection: psycopg.Connection[tuple[object, ...]], role: str, password: str) -> None:
    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone():
        _execute(connection, "CREATE ROLE {} LOGIN", role)
    # Hashed here, so that no log of statements can hold the password.
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(
        sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier)),
    )


def _ensure_database(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone():
        _execute(connection, "CREATE DATABASE {} OWNER {}", DATABASE, OWNER)


def _execute(connection: psycopg.Connection[tuple[object, ...]], statement: str, *names: str) -> None:
    """Run a statement with each {} replaced by a quoted name."""
    connection.execute(sql.SQL(statement).format(*(sql.Identifier(name) for name in names)))
