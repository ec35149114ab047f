"""One platform for all pages, and the terminal in which the commands of each run."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.acceptance.conftest import PROGRAMS, SAMPLE, SHARED_SLIDES, Computer, wait_for

from coverslip.embedded.home import home_at
from coverslip.embedded.ports import free_port
from coverslip.embedded.postgres.binaries import find_binaries
from coverslip.embedded.postgres.connection import HOST, SUPERUSER
from coverslip.embedded.postgres.place import data_folder_of, system_folder_of
from coverslip.embedded.postgres.postmaster import read_postmaster_file
from coverslip.embedded.secrets import ensure_secrets

ADMINISTRATOR = ("--organization", "Our Laboratory", "--name", "Ada Lovelace", "--email", "ada@example.org")


@dataclass
class Desk:
    """The platform that `coverslip up` started, and terminals to use it from.

    Attributes
    ----------
    computer
        Where it runs.
    root
        Its address.
    unused_link
        The link it printed at its first start, until somebody uses it.
    programs
        The folder of an environment in which a page may install packages.
    """

    computer: Computer
    root: str
    unused_link: str | None
    programs: Path

    def link(self) -> str:
        """A link to log in with: the first administrator's as long as it is unused."""
        if (link := self.unused_link) is not None:
            self.unused_link = None
            return link
        return self.computer.coverslip("system", "login-link", "--email", ADMINISTRATOR[-1]).stdout.strip()

    def log_in(self) -> None:
        """Be logged in, as most pages expect it."""
        if self.computer.coverslip("user", "whoami").returncode != 0:
            done = self.computer.coverslip("user", "login", "--link", self.link(), *ADMINISTRATOR)
            assert done.returncode == 0, done.stderr

    def run(self, script: str, folder: Path, limit_s: float = 120) -> "subprocess.CompletedProcess[str]":
        """Run a script in a new terminal in ``folder``, where the sample slide is; it leaves no process behind."""
        (folder / "slides").mkdir(parents=True)
        shutil.copy(SHARED_SLIDES / SAMPLE, folder / "slides")
        path = os.pathsep.join([str(self.programs), self.computer.environment["PATH"], self._postgres_programs])
        environment = self.computer.environment | self._postgres_server | {"PATH": path}
        if "$LINK" in script:
            environment["LINK"] = self.link()
        log = folder.parent / "terminal"
        with log.open("w") as output:
            process = subprocess.Popen(
                ["sh", "-eu", "-c", script],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            process.wait(timeout=limit_s)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=30)
            for home in folder.iterdir():
                shutil.rmtree(system_folder_of(home_at(home)), ignore_errors=True)
        return subprocess.CompletedProcess(script, process.returncode, log.read_text())

    @property
    def _postgres_programs(self) -> str:
        return str(find_binaries().root / "bin")

    @property
    def _postgres_server(self) -> dict[str, str]:
        """An administrator's access to a PostgreSQL server: the one that runs already."""
        home = home_at(self.computer.home)
        running = read_postmaster_file(data_folder_of(home))
        assert running is not None
        password = ensure_secrets(home).database_password(SUPERUSER)
        return {"PGHOST": HOST, "PGPORT": str(running.port), "PGUSER": SUPERUSER, "PGPASSWORD": password}


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A platform that runs for the whole session."""
    private = tmp_path_factory.mktemp("docs")
    private.chmod(0o700)
    home = home_at(private / "home")
    home.root.mkdir(mode=0o700)
    home.remember_port(free_port())
    log = private / "up"
    # A page lets the platform send webhook messages to a receiver on this machine.
    computer = Computer(home.root, private, {"COVERSLIP_FETCH_ALLOW": "127.0.0.1"})
    process = computer.start([str(PROGRAMS / "coverslip"), "up"], log)
    try:
        printed = wait_for("Press Ctrl-C", log, process)
        link = re.search(r"(http\S+)/welcome\?link=\S+", printed)
        assert link, printed
        yield Desk(computer, link[1], link[0], _environment_above_ours(private / "environment"))
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        ended = process.wait(timeout=30)
        shutil.rmtree(system_folder_of(home), ignore_errors=True)
    assert ended == 0, log.read_text()


def _environment_above_ours(folder: Path) -> Path:
    """A virtual environment that has our packages below its own, so that what a page installs stays out of ours."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    ask = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip())
    (site / "below.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    program = folder / "bin" / "coverslip"
    program.write_text(f"#!{python}\nfrom coverslip.cli.main import main\nif __name__ == '__main__':\n    main()\n")
    program.chmod(0o755)
    return folder / "bin"
