"""A platform for the time of a benchmark, with its administrator logged in."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coverslip import platform
from coverslip.embedded.home import open_home
from coverslip.embedded.platform import EmbeddedPlatform
from coverslip.embedded.postgres.connection import SUPERUSER, database_url
from coverslip.embedded.postgres.place import data_folder_of, system_folder_of
from coverslip.embedded.postgres.postmaster import read_postmaster_file
from coverslip.embedded.secrets import ensure_secrets

REPOSITORY = Path(__file__).parents[1]
SAMPLE = REPOSITORY.parent / "shared" / "slides" / "CMU-1-Small-Region.svs"


@contextmanager
def running_platform() -> Iterator[platform.Client]:
    """A client of a platform of its own."""
    with tempfile.TemporaryDirectory() as folder:
        home = open_home(Path(folder) / "home")
        try:
            with EmbeddedPlatform(home) as running:
                os.environ |= {"COVERSLIP_HOME": str(home.root), "COVERSLIP_API_ROOT": running.url}
                login = ["user", "login", "--link", str(running.login_link()), "--organization", "Bench"]
                login += ["--email", "bench@localhost", "--name", "Bench"]
                program = Path(sys.executable).with_name("coverslip")
                subprocess.run([program, *login], check=True, capture_output=True)
                with platform.Client() as client:
                    yield client
        finally:
            shutil.rmtree(system_folder_of(home), ignore_errors=True)


def superuser_url() -> str:
    """The database of the running platform, for benchmarks that fill it."""
    home = open_home(Path(os.environ["COVERSLIP_HOME"]))
    postmaster = read_postmaster_file(data_folder_of(home))
    assert postmaster is not None
    return database_url(postmaster.port, SUPERUSER, ensure_secrets(home))
