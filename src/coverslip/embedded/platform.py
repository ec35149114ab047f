"""The whole platform on one machine, as a context manager."""

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from types import TracebackType

import psycopg

from coverslip.embedded.address import announced
from coverslip.embedded.environment import Environments, refuse_foreign_parts
from coverslip.embedded.errors import DatabaseNotOurs, PortTaken, ProxyNotNamed
from coverslip.embedded.health import process_failure, wait_until_healthy
from coverslip.embedded.home import Home
from coverslip.embedded.lock import locked
from coverslip.embedded.login_link import login_link
from coverslip.embedded.ports import free_port, is_free
from coverslip.embedded.postgres.bootstrap import bootstrap
from coverslip.embedded.postgres.place import data_folder_of, open_place
from coverslip.embedded.postgres.server import PostgresServer
from coverslip.embedded.process import ManagedProcess
from coverslip.embedded.secrets import ensure_secrets
from coverslip.embedded.supervisor import Supervisor
from coverslip.models.chosen import chosen_identities
from coverslip.models.settings import load_settings

LOOPBACK = ("127.0.0.1", "localhost", "::1")
DEFAULT_PORT = 8000
_MIGRATION_LIMIT_S = 3600
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what to connect to, not to listen on


class EmbeddedPlatform:
    """PostgreSQL, object store, service and worker: up inside the `with` block, down after it.

    Parameters
    ----------
    home
        Where everything is kept; from `open_home`.
    port
        Port of the service. None takes 8000, or another free one if that is taken.
    host
        Address that the service listens on.
    worker_slots
        How many slides the worker takes at once.
    public_url
        https address of the proxy in front; needed if `host` is not a loopback address.
    say
        Gets a short line for each step.

    Attributes
    ----------
    url
        Address by which people reach the platform.
    """

    def __init__(
        self,
        home: Home,
        port: int | None = None,
        host: str = "127.0.0.1",
        worker_slots: int = 1,
        public_url: str | None = None,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        if host not in LOOPBACK and not public_url:
            raise ProxyNotNamed(host=host)
        refuse_foreign_parts()
        # Without the site's models the worker would end again and again, where nobody looks.
        chosen_identities(load_settings().model_copy(update={"home": home.root}))
        self.home = home
        self.host = host
        self._wanted_port = port
        self._worker_slots = worker_slots
        self._public_url = public_url.rstrip("/") if public_url else None
        self._say = say
        self._stack = ExitStack()

    def __enter__(self) -> "EmbeddedPlatform":
        """Start everything; whatever was started is stopped again if something fails.

        Raises
        ------
        EmbeddedError
            One of `coverslip.embedded.errors`, which says what happened and what to do.
        """
        with ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop everything, last started first."""
        self._stack.close()

    def login_link(self, email: str | None = None, only_first: bool = False) -> str | None:
        """A one-time link to sign in with; see `coverslip.embedded.login_link.login_link`."""
        return login_link(self._environments.administration(), self.home, email, only_first)

    def _start(self, stack: ExitStack) -> None:
        stack.enter_context(locked(self.home))
        port = self._choose_port()
        secrets = ensure_secrets(self.home)
        supervisor = Supervisor()
        stack.callback(supervisor.stop)

        self._say("Starting the database")
        database = PostgresServer(open_place(self.home), secrets, self.home.logs)
        database.prepare()
        supervisor.add(database)
        database.wait_until_ready()
        try:
            bootstrap(database.port, secrets)
        except psycopg.OperationalError as error:
            if "password authentication failed" not in str(error):
                raise
            raise DatabaseNotOurs(folder=data_folder_of(self.home), home=self.home.root) from error

        connect_to = _ANY_ADDRESS.get(self.host, self.host)
        local_url = f"http://{f'[{connect_to}]' if ':' in connect_to else connect_to}:{port}"
        self.url = self._public_url or local_url
        self._environments = Environments(self.home, secrets, database.port, local_url, self.url, dict(os.environ))

        self._say("Bringing its tables up to date")
        self._migrate()

        self._say("Starting the service")
        serve = ("coverslip.service", "serve", "--host", self.host, "--port", str(port))
        service = self._python("service", self._environments.service(), *serve)
        supervisor.add(service)
        wait_until_healthy(service, local_url)

        self._say("Starting the worker")
        supervisor.add(self._python("worker", self._environments.worker(self._worker_slots), "coverslip.worker"))
        supervisor.watch()
        stack.enter_context(announced(self.home, self.url, local_url))

    def _choose_port(self) -> int:
        if self._wanted_port is None:
            # As before if possible: sessions belong to an address.
            last = self.home.last_port or DEFAULT_PORT
            port = last if is_free(last, self.host) else free_port(DEFAULT_PORT, self.host)
            if port != last:
                self._say(f"Port {last} is taken by another program, using {port}")
        elif is_free(self._wanted_port, self.host):
            port = self._wanted_port
        else:
            raise PortTaken(port=self._wanted_port, host=self.host)
        self.home.remember_port(port)
        return port

    def _migrate(self) -> None:
        env = self._environments.administration()
        migration = self._python("migration", env, "coverslip.service", "migrate")
        try:
            migration.start()
            if migration.wait(_MIGRATION_LIMIT_S) != 0:
                raise process_failure(migration)
        finally:
            migration.stop()

    def _python(self, name: str, env: Mapping[str, str], *arguments: str) -> ManagedProcess:
        argv = [sys.executable, "-m", "coverslip.embedded.child", *arguments]
        return ManagedProcess(name, argv, env, self.home.logs / f"{name}.log", cwd=self.home.root)
