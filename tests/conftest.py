"""What every test folder may use: the modules of ``tests/harness``, and one real service for each pytest process."""

import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))

# A shell in the background has programs ignore Ctrl-C, and they pass that on to those the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Examples are bounded by number; the machine may be busy, so none is judged by the clock.
settings.register_profile(
    "coverslip",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    print_blob=True,
)
settings.load_profile("coverslip")

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder with the published documents; the test is skipped where it is not beside the repository."""
    folder = SHARED / "reference"
    if not folder.is_dir():
        pytest.skip("the reference documents are not beside this repository")
    return folder


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator["object"]:
    """A running PostgreSQL with the schema of the service, for the whole session."""
    from coverslip.embedded.home import open_home
    from coverslip.embedded.postgres.place import system_folder_of
    from harness.database import TestDatabase

    home = open_home(tmp_path_factory.mktemp("platform") / "home")
    try:
        with TestDatabase(home) as database:
            yield database
    finally:
        shutil.rmtree(system_folder_of(home), ignore_errors=True)


@pytest.fixture(scope="session")
def running_service(postgres: "object", tmp_path_factory: pytest.TempPathFactory) -> Iterator["object"]:
    """The real service on a real port, for the whole session; tests take `service`, which is empty."""
    from harness.service import TestService

    with TestService(postgres, tmp_path_factory.mktemp("store")) as service:
        yield service


@pytest.fixture
def service(running_service: "object") -> "object":
    """The real service without any organization, user, run or object."""
    running_service.clear()
    return running_service


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator["object"]:
    """A fake platform over real sockets; the settings name it, and a home of their own."""
    from harness.fake_platform import serve

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COVERSLIP_HOME", str(tmp_path / "home"))
    for running in serve():
        monkeypatch.setenv("COVERSLIP_API_ROOT", running.url)
        yield running


@pytest.fixture
def client(platform: "object") -> Iterator["object"]:
    """A client of the fake platform."""
    from coverslip.platform import Client

    with Client(token_provider=lambda: "good") as client:
        yield client
