"""A home folder of its own for each test, and deadlines."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from coverslip.embedded.home import Home, open_home
from coverslip.embedded.postgres.place import open_place, system_folder_of
from coverslip.embedded.postgres.server import PostgresServer
from coverslip.embedded.secrets import Secrets, ensure_secrets

Within = Callable[[float, Callable[[], object]], None]


@pytest.fixture
def within() -> Within:
    """`within(seconds, condition)` waits until the condition holds, and fails if it does not in that time."""

    def wait(seconds: float, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not so within {seconds} s"
            time.sleep(0.02)

    return wait


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home below a folder that only its owner may enter, as /root is."""
    (tmp_path / "private").mkdir(mode=0o700)
    home = open_home(tmp_path / "private" / "home")
    yield home
    shutil.rmtree(system_folder_of(home), ignore_errors=True)


@pytest.fixture
def secrets(home: Home) -> Secrets:
    """The home's secrets."""
    return ensure_secrets(home)


@pytest.fixture
def database(home: Home, secrets: Secrets) -> Iterator[PostgresServer]:
    """A created database that no one has started; stopped at the end."""
    server = PostgresServer(open_place(home), secrets, home.logs)
    server.prepare()
    yield server
    server.stop()
