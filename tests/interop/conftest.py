"""A whole platform with a worker, and the published client, unmodified, set up for it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.interop import published_client
from tests.interop.loaded_client import LoadedClient
from tests.interop.published_client import PROGRAMS, PublishedClient

from coverslip.embedded.environment import Environments
from coverslip.embedded.home import open_home
from coverslip.embedded.postgres.place import system_folder_of
from coverslip.slides.crc32c import crc32c_file
from coverslip.slides.phantom import PhantomOptions, write_phantom
from harness.database import TestDatabase
from harness.people import Person, item_request
from harness.service import TestService

REPOSITORY = Path(__file__).parents[2]
PASSWORD = "correct horse battery"
NO_INTERNET = {"ALL_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1,localhost"}
"""A way to the internet that ends at once; what is on this machine is reached directly."""

Connect = Callable[..., PublishedClient]
Bridged = Callable[[PublishedClient], PublishedClient]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test here starts processes of the platform."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.process)


@contextmanager
def _worker(service: TestService, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    database = service.database
    port = database.connect("postgres").info.port
    environment = Environments(database.home, database.secrets, port, service.url, service.url, os.environ).worker(1)
    # Nobody holds the other end of the pipe that a worker of `coverslip up` watches.
    del environment["COVERSLIP_PARENT_PIPE"]
    with (folder / "worker.log").open("w") as log:
        process = subprocess.Popen([sys.executable, "-m", "coverslip.worker"], env=environment, cwd=folder, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="session")
def _platform(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[TestService, "subprocess.Popen[bytes]"]]:
    if not published_client.installed():
        pytest.fail(f"The published client is not installed in {PROGRAMS.parent}: run `make interop`.", pytrace=False)
    folder = tmp_path_factory.mktemp("live")
    home = open_home(folder / "home")
    (folder / "store").mkdir()
    try:
        with (
            TestDatabase(home) as database,
            TestService(database, folder / "store", sweep_s=2) as service,
            _worker(service, folder) as worker,
        ):
            yield service, worker
    finally:
        shutil.rmtree(system_folder_of(home), ignore_errors=True)


@pytest.fixture(scope="session")
def live_platform(_platform: tuple[TestService, "subprocess.Popen[bytes]"]) -> TestService:
    """The service with a real worker that runs `test-app`, for the whole session; nothing in it is ever cleared."""
    return _platform[0]


@pytest.fixture
def resting_worker(_platform: tuple[TestService, "subprocess.Popen[bytes]"]) -> Iterator[None]:
    """While the test runs, no run gets on."""
    process = _platform[1]
    process.send_signal(signal.SIGSTOP)
    yield
    process.send_signal(signal.SIGCONT)


@pytest.fixture(scope="session")
def connect(live_platform: TestService, tmp_path_factory: pytest.TempPathFactory) -> Connect:
    """Sets up the published client for a person, by default the only member of a new organization."""

    def set_up(person: Person | None = None, *, with_refresh_token: bool = True) -> PublishedClient:
        user = person or live_platform.person(live_platform.organization(), password=PASSWORD)
        place = tmp_path_factory.mktemp(user.user_id)
        return published_client.connect(live_platform, user, place, with_refresh_token=with_refresh_token)

    return set_up


@pytest.fixture(scope="session")
def published(connect: Connect) -> PublishedClient:
    """The published client of one person, logged in by refresh token; it is the same for all tests."""
    return connect()


@pytest.fixture(scope="session")
def loaded(published: PublishedClient) -> Iterator[LoadedClient]:
    """What runs commands of the client, which has nothing of ours beside it, at once."""
    with LoadedClient(PROGRAMS, published.environment) as loaded:
        yield loaded


@pytest.fixture(scope="session")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our package as `pip install` writes it, in a folder that the client is given beside its own packages."""
    folder = tmp_path_factory.mktemp("beside")
    # From what is here: neither other packages nor a build environment are fetched.
    offline = ("--no-deps", "--no-index", "--no-build-isolation")
    command = [sys.executable, "-m", "pip", "install", "--quiet", *offline, "--target", str(folder), str(REPOSITORY)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return folder


@pytest.fixture(scope="session")
def bridged(beside: Path, published: PublishedClient) -> Iterator[Bridged]:
    """Gives a client our bridge, no internet, and commands that start at once."""
    settings = {"PYTHONPATH": str(beside)} | NO_INTERNET
    with LoadedClient(PROGRAMS, published.environment | settings) as loaded:
        yield lambda client: replace(client, settings=client.settings | settings, loaded=loaded)


@pytest.fixture(scope="session")
def client(bridged: Bridged, published: PublishedClient) -> PublishedClient:
    """The client of one person with the bridge."""
    return bridged(published)


@pytest.fixture(scope="session")
def slide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small slide, with the only ending that the client takes for `test-app`."""
    path = tmp_path_factory.mktemp("slide") / "small slide ü.tiff"
    write_phantom(path, PhantomOptions(width_px=1024, height_px=768, mpp=0.5), jobs=1)
    return path


@pytest.fixture(scope="session")
def finished_run(published: PublishedClient, slide: Path) -> Any:
    """A run of that person that has all its results, as the API shows it; its item's name is a path with a space."""
    person = published.person
    metadata = {"checksum_base64_crc32c": crc32c_file(slide), "resolution_mpp": 0.5, "width_px": 1024, "height_px": 768}
    item = item_request(f"/slides/{slide.name}", url=person.upload(slide.name, slide.read_bytes()))
    item["input_artifacts"][0]["metadata"] = metadata
    run_id = person.submit(items=[item])
    give_up_at = time.monotonic() + 120
    while (run := person.run(run_id))["state"] != "TERMINATED":
        assert time.monotonic() < give_up_at, run
        time.sleep(0.2)
    assert run["output"] == "FULL", person.items(run_id)
    return run
