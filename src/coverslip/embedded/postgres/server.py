"""A PostgreSQL server as one of the supervised processes."""

import os
import signal
import sys
import time
from pathlib import Path

from coverslip.embedded.errors import DatabaseDidNotStart
from coverslip.embedded.ports import free_port
from coverslip.embedded.postgres import launch
from coverslip.embedded.postgres.cluster import ensure_cluster
from coverslip.embedded.postgres.connection import HOST, database_url
from coverslip.embedded.postgres.environment import postgres_environment
from coverslip.embedded.postgres.place import PostgresPlace
from coverslip.embedded.postgres.postmaster import (
    FAST_SHUTDOWN_S,
    IMMEDIATE_SHUTDOWN_S,
    end_orphans,
    read_postmaster_file,
)
from coverslip.embedded.process import ManagedProcess
from coverslip.embedded.secrets import Secrets

# Crash recovery of a large database takes minutes; a server that is at it is alive and gets this long.
_READY_LIMIT_S = 600.0
# After a kill, orphaned backends may hold the shared memory, and a closing socket the port, for some seconds.
_RETRY_LIMIT_S = 15.0
_TRANSIENT = ("shared memory block", "Address already in use", "lock file")
_POLL_S = 0.02

_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "shared_buffers": "128MB",
    "max_connections": "100",
    "max_wal_size": "512MB",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "logging_collector": "off",
}


class PostgresServer:
    """PostgreSQL on a TCP port of 127.0.0.1, our own child process.

    The port is chosen once, so that a restarted server is found by those who were connected to it.

    Parameters
    ----------
    place
        Its programs, data and user.
    secrets
        The passwords of its roles.
    logs
        Folder of its log, `postgres.log`.
    """

    name = "database"

    def __init__(self, place: PostgresPlace, secrets: Secrets, logs: Path) -> None:
        self.place = place
        self.port = free_port()
        self._secrets = secrets
        self._process = ManagedProcess(
            self.name,
            self._argv(),
            postgres_environment(),
            logs / "postgres.log",
            cwd=logs,
        )

    @property
    def pid(self) -> int | None:
        """Process id of the postmaster while it was started and not stopped."""
        return self._process.pid

    def prepare(self) -> None:
        """Create the data directory if needed; see `ensure_cluster` for what can go wrong."""
        ensure_cluster(self.place, self._secrets)

    def start(self) -> None:
        """Start the server, after ending what a killed one left behind; does not wait until it is ready."""
        self._process.kill()
        end_orphans(self.place.data)
        self._process.start()

    def wait_until_ready(self) -> None:
        """Wait until the started server accepts connections.

        Raises
        ------
        DatabaseDidNotStart
            If it ends before, other than by something that passes within seconds, or is not ready within 10 minutes.
        """
        started_s = time.monotonic()
        while not self._accepts_connections():
            waited_s = time.monotonic() - started_s
            if not self.alive():
                if waited_s > _RETRY_LIMIT_S or not any(sign in self._process.output() for sign in _TRANSIENT):
                    raise self._failure(f"it ended with exit code {self._process.returncode}")
                time.sleep(10 * _POLL_S)
                self.start()
            elif waited_s > _READY_LIMIT_S:
                raise self._failure(f"it was not ready within {_READY_LIMIT_S:.0f} seconds")
            time.sleep(_POLL_S)

    def alive(self) -> bool:
        """Whether the postmaster runs."""
        return self._process.alive()

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back. Then immediate shutdown, if that took more than 20 s."""
        if sys.platform != "win32" and self.alive():
            for signal_, seconds in ((signal.SIGINT, FAST_SHUTDOWN_S), (signal.SIGQUIT, IMMEDIATE_SHUTDOWN_S)):
                self._process.ask_to_end(signal_)
                if self._process.wait(seconds) is not None:
                    break
        self._process.kill()

    def url(self, role: str) -> str:
        """URL of the database for one of the roles `owner`, `service`, `reader`."""
        return database_url(self.port, role, self._secrets)

    def _accepts_connections(self) -> bool:
        file = read_postmaster_file(self.place.data)
        return self.alive() and file is not None and file.pid == self.pid and file.accepts_connections

    def _argv(self) -> list[str]:
        settings = {**_SETTINGS, "port": str(self.port)}
        postgres = [self.place.binaries.program("postgres"), "-D", str(self.place.data)]
        postgres += [f"--{name}={value}" for name, value in settings.items()]
        if sys.platform == "win32":
            return postgres
        user = f"{self.place.user.uid}:{self.place.user.gid}" if self.place.user else "-"
        return [sys.executable, "-I", "-S", str(launch.__file__), str(os.getpid()), user, *postgres]

    def _failure(self, reason: str) -> DatabaseDidNotStart:
        return DatabaseDidNotStart(reason=reason, log=self._process.log, last_lines=self._process.last_lines())
