"""The real service on a real port, and the people and workers who use it."""

import asyncio
import itertools
import threading
import time
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import httpx
import uvicorn

from coverslip.embedded.ports import free_port
from coverslip.service.access.principal import Role
from coverslip.service.app import build_app
from coverslip.service.context import Context
from coverslip.service.database.scope import PlatformScope
from coverslip.service.identity import queries as identity
from coverslip.service.identity.passwords import hash_password
from coverslip.service.identity.rules import EMBEDDED_ISSUER
from coverslip.service.organizations import queries as organizations
from coverslip.service.scheduling.sweeper import sweep
from harness.database import TestDatabase
from harness.people import Person
from harness.worker import TLS, WorkerClient

_START_LIMIT_S = 30

T = TypeVar("T")


class TestService:
    """`build_app` under uvicorn in a thread.

    Nothing is swept but by `sweep`, no webhook message is sent, and failed attempts are repeated without a pause, so
    that no test has to wait.
    """

    __test__ = False

    def __init__(self, database: TestDatabase, store: Path, **settings: Any) -> None:
        self.database = database
        self.store_folder = store
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        usual = {
            "store_url": store.as_uri(),
            "public_url": self.url,
            "sweep_s": 86_400,
            "retry_backoff_s": 0,
            "filter_timeout_ms": 500,
            "upload_part_bytes": 65_536,
            "webhook_connections": 0,
            "queue_position_age_s": 0,
        }
        self.settings = database.settings(**(usual | settings))
        self.app = build_app(self.settings)
        self._server = uvicorn.Server(uvicorn.Config(self.app, host="127.0.0.1", port=port, log_level="warning"))
        self._thread = threading.Thread(target=self._serve, name="service")
        self._numbers = itertools.count(1)
        self._documents: frozenset[Path] = frozenset()

    def _serve(self) -> None:
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            runner.run(self._server.serve())

    def __enter__(self) -> "TestService":
        self._thread.start()
        give_up_at = time.monotonic() + _START_LIMIT_S
        while not self._server.started:
            assert self._thread.is_alive(), "the service did not start"
            assert time.monotonic() < give_up_at, "the service is not up in time"
            time.sleep(0.01)
        self.http = httpx.Client(base_url=self.url, timeout=30, verify=TLS)
        self._documents = frozenset(self.objects("documents"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.http.close()
        self._server.should_exit = True
        self._thread.join()

    @property
    def context(self) -> Context:
        context: Context = self.app.state.context
        return context

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the service's own event loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=60)

    def sweep(self) -> None:
        """What the service does every few seconds on its own."""
        self.run(sweep(self.context))

    def sweep_leftovers(self) -> None:
        """As if every upload URL given so far had expired long ago."""
        long_ago = "ended_at = ended_at - interval '3 hours', sweep_due_at = now()"
        self.database.rows(f"update attempt set {long_ago} where sweep_due_at is not null")
        self.sweep()

    def clear(self) -> None:
        """Forget every organization, user, run and object."""
        self.database.clear()
        for path in self.objects():
            path.unlink()

    def objects(self, area: str = "*") -> list[Path]:
        """The files that the object store keeps, but for the documents that it got when the service started."""
        found = (path for path in self.store_folder.glob(f"{area}/**/*") if path.is_file())
        return sorted(path for path in found if path not in self._documents)

    def organization(self) -> str:
        """A new organization's id."""
        organization_id = f"org_{next(self._numbers)}"

        async def insert() -> None:
            async with self.context.database.transaction(PlatformScope()) as connection:
                await organizations.insert_organization(
                    connection, organization_id=organization_id, name=organization_id, display_name="An Organization"
                )

        self.run(insert())
        return organization_id

    def person(self, organization_id: str, role: Role = Role.MEMBER, password: str | None = None) -> Person:
        """A new member of an organization, signed in."""
        user_id = f"user_{next(self._numbers)}"
        email = f"{user_id}@example.org"

        async def insert() -> None:
            hashed = await hash_password(password) if password is not None else None
            async with self.context.database.transaction(PlatformScope()) as connection:
                await identity.insert_account(
                    connection,
                    user_id=user_id,
                    issuer=EMBEDDED_ISSUER,
                    email=email,
                    name="Ada Lovelace",
                    password_hash=hashed,
                )
                await organizations.insert_membership(
                    connection, user_id=user_id, organization_id=organization_id, role=role
                )

        self.run(insert())
        token = self.context.issuer.issue(
            user_id=user_id, organization_id=organization_id, role=role, client_id="tests"
        )
        return Person(self.url, token, user_id=user_id, organization_id=organization_id, email=email, role=role)

    def member(self) -> Person:
        """The only member of a new organization."""
        return self.person(self.organization())

    def worker(self) -> WorkerClient:
        """A worker that offers `test-app` and runs nothing."""
        return WorkerClient(self.url, self.database.secrets.worker_token.read_text())


def at_once(calls: Iterable[Callable[[], T]]) -> list[T]:
    """Make the calls at the same time, each in a thread; their results in order."""
    waiting = list(calls)
    together = threading.Barrier(len(waiting))

    def call(one: Callable[[], T]) -> T:
        together.wait()
        return one()

    with ThreadPoolExecutor(len(waiting)) as pool:
        return list(pool.map(call, waiting))
