"""The platform that the rounds are played on: real processes, two workers, two organizations, a proxy in front."""

import os
import random
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from coverslip import platform
from coverslip.embedded.environment import Environments
from coverslip.embedded.home import Home, open_home
from coverslip.embedded.platform import EmbeddedPlatform
from coverslip.embedded.ports import free_port
from coverslip.embedded.postgres.connection import SUPERUSER, database_url
from coverslip.embedded.postgres.place import data_folder_of
from coverslip.embedded.postgres.postmaster import read_postmaster_file
from coverslip.embedded.process import ManagedProcess
from coverslip.embedded.secrets import ensure_secrets
from coverslip.embedded.supervisor import Supervisor
from coverslip.slides.crc32c import crc32c_file
from faults.people import log_in_administrators
from faults.plan import SLIDE_BYTES
from faults.proxy import Proxy
from faults.ray_nodes import RayNodes, ray_nodes
from faults.scratch_disk import ScratchDisk, scratch_disk

_APPLICATION = Path(__file__).parent / "application"
_SLOTS = 2
_RAY_SCRATCH = "ray-scratch"

# Leases are short so that lost ones are noticed within a round. Kills alone never use up the attempts.
_SETTINGS = {
    "COVERSLIP_LEASE_S": "3",
    "COVERSLIP_HEARTBEAT_S": "0.5",
    "COVERSLIP_SWEEP_S": "0.5",
    "COVERSLIP_MAX_ATTEMPTS": "12",
    "COVERSLIP_RETRY_BACKOFF_S": "0",
    "COVERSLIP_WORKER_NAME": "first-worker",
}


@dataclass(frozen=True)
class Slide:
    """A file in the bucket of each organization."""

    path: Path
    checksum_base64_crc32c: str
    urls: tuple[str, ...]


@dataclass(frozen=True)
class Stage:
    """What a round is played on.

    Attributes
    ----------
    folder
        Of everything; `home` lies in it, and `marks`, a folder for marks of the application.
    clients
        The administrator of each organization.
    slides
        One of each of `SLIDE_BYTES`.
    """

    folder: Path
    home: Home
    proxy: Proxy
    scratch_disk: ScratchDisk
    ray: RayNodes | None
    clients: tuple[platform.Client, ...]
    slides: tuple[Slide, ...]

    @property
    def marks(self) -> Path:
        return self.folder / "marks"

    @property
    def scratch_folders(self) -> tuple[Path, ...]:
        return self.home.scratch, self.scratch_disk.folder, self.folder / _RAY_SCRATCH

    @property
    def database_url(self) -> str:
        """The superuser's, while PostgreSQL runs."""
        return _superuser_url(self.home)

    def processes(self) -> list[psutil.Process]:
        """Everything that the supervisors have started, and what that has started."""
        return psutil.Process().children(recursive=True)


@contextmanager
def open_stage(folder: Path, *, on_ray: bool = False) -> Iterator[Stage]:
    """Start everything below an empty folder; it is stopped at the end, and the folder stays.

    Two workers as on two machines; ``on_ray``, there is also a Ray cluster with a worker of its own.
    """
    _set_environment()
    home = open_home(folder / "home")
    for name in ("marks", _RAY_SCRATCH):
        (folder / name).mkdir()
    with ExitStack() as stack:
        port = free_port()
        proxy = stack.enter_context(Proxy(port))
        disk = stack.enter_context(scratch_disk(folder / "second-worker"))
        running = stack.enter_context(EmbeddedPlatform(home, port, worker_slots=_SLOTS, public_url=proxy.url))
        _start_worker(stack, home, proxy, "second-worker", {"COVERSLIP_SCRATCH": str(disk.folder)})
        nodes = stack.enter_context(ray_nodes()) if on_ray else None
        if nodes is not None:
            ray = {"COVERSLIP_ENGINE": "ray", "COVERSLIP_RAY_ADDRESS": nodes.address}
            _start_worker(stack, home, proxy, "ray-worker", ray | {"COVERSLIP_SCRATCH": str(folder / _RAY_SCRATCH)})
        http = stack.enter_context(httpx.Client())
        logins = log_in_administrators(running, _superuser_url(home), folder / "logins", http)
        clients = tuple(
            stack.enter_context(platform.Client(api_root=proxy.url, token_provider=each)) for each in logins
        )
        slides = tuple(_uploaded_slide(folder, number, clients) for number in range(len(SLIDE_BYTES)))
        yield Stage(folder, home, proxy, disk, nodes, clients, slides)


def _set_environment() -> None:
    """Settings for the service and the workers, and the application on their import path."""
    for name in [name for name in os.environ if name.startswith("COVERSLIP_")]:
        del os.environ[name]
    path = os.environ.get("PYTHONPATH")
    os.environ |= _SETTINGS | {"PYTHONPATH": f"{_APPLICATION}{os.pathsep + path if path else ''}"}


def _start_worker(stack: ExitStack, home: Home, proxy: Proxy, name: str, settings: dict[str, str]) -> None:
    """A worker as on another machine: it reaches the service through the proxy only."""
    environments = Environments(home, ensure_secrets(home), 0, proxy.url, proxy.url, dict(os.environ))
    env = environments.worker(_SLOTS) | settings | {"COVERSLIP_WORKER_NAME": name}
    argv = [sys.executable, "-m", "coverslip.embedded.child", "coverslip.worker"]
    supervisor = Supervisor()
    stack.callback(supervisor.stop)
    supervisor.add(ManagedProcess(name, argv, env, home.logs / f"{name}.log", cwd=home.root))
    supervisor.watch()


def _superuser_url(home: Home) -> str:
    postmaster = read_postmaster_file(data_folder_of(home))
    if postmaster is None:
        raise ConnectionError("PostgreSQL does not run")
    return database_url(postmaster.port, SUPERUSER, ensure_secrets(home))


def _uploaded_slide(folder: Path, number: int, clients: tuple[platform.Client, ...]) -> Slide:
    path = folder / f"slide-{number}.svs"
    path.write_bytes(random.Random(number).randbytes(SLIDE_BYTES[number]))
    checksum = crc32c_file(path)
    return Slide(path, checksum, tuple(client.upload(path, checksum).download_url for client in clients))
