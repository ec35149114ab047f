"""The published client as its users have it: an unmodified installation, and nothing but the settings we print."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.interop.loaded_client import LoadedClient

from coverslip.service.identity.commands import new_link
from harness.people import Person
from harness.service import TestService

PROGRAMS = Path(__file__).parents[2] / ".tools" / "interop" / "bin"
BROWSER = Path(__file__).parent / "browser.py"
_COVERSLIP = Path(sys.executable).parent / "coverslip"
_TERMINAL_CODES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")

Ended = "subprocess.CompletedProcess[str]"


@dataclass(frozen=True)
class PublishedClient:
    """One person's installation.

    Attributes
    ----------
    person
        Who uses it; an HTTP client of the platform too.
    home
        Their home directory, empty at first.
    folder
        Where commands run.
    settings
        What `coverslip connect` printed for them, as variables.
    programs
        Where `aignostics` and its interpreter are.
    loaded
        What runs the commands instead of starting `aignostics` for each.
    """

    person: Person
    home: Path
    folder: Path
    settings: dict[str, str] = field(repr=False)
    programs: Path = PROGRAMS
    loaded: LoadedClient | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Only what the client needs; no screen, no terminal, so no browser of the machine's."""
        # An older client would send even local requests through a proxy of the machine's.
        kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TMPDIR", "TZ") if name in os.environ}
        ours = {
            "HOME": str(self.home),
            "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONUNBUFFERED": "1",
            "AIGNOSTICS_CONSOLE_WIDTH": "400",
        }
        return kept | ours | self.settings

    def run(self, *arguments: str, extra: Mapping[str, str] | None = None, limit_s: float = 120) -> Ended:
        """Run `aignostics` to its end."""
        if self.loaded is not None:
            environment = self.environment | dict(extra or {})
            return readable(self.loaded.run(arguments, environment, self.folder, limit_s))
        return self._run([str(self.programs / "aignostics"), *arguments], extra, limit_s)

    def script(self, source: str, *arguments: str, limit_s: float = 120) -> Ended:
        """Run a Python program in the client's own interpreter."""
        return self._run([str(self.programs / "python"), "-c", source, *arguments], None, limit_s)

    def start(self, *arguments: str, extra: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
        """Start `aignostics`; its output and errors come through one pipe."""
        return subprocess.Popen(
            [str(self.programs / "aignostics"), *arguments],
            cwd=self.folder,
            env=self.environment | dict(extra or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def without(self, *names: str) -> "PublishedClient":
        """The same with some settings left out."""
        return replace(self, settings={name: value for name, value in self.settings.items() if name not in names})

    def _run(self, argv: list[str], extra: Mapping[str, str] | None, limit_s: float) -> Ended:
        ended = subprocess.run(
            argv,
            cwd=self.folder,
            env=self.environment | dict(extra or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )
        return readable(ended)


def readable(ended: Ended) -> Ended:
    """The same without colours."""
    ended.stdout = _TERMINAL_CODES.sub("", ended.stdout)
    ended.stderr = _TERMINAL_CODES.sub("", ended.stderr)
    return ended


def connect(service: TestService, person: Person, place: Path, *, with_refresh_token: bool = True) -> PublishedClient:
    """Set up the published client for a person: log in with `coverslip`, and take what `coverslip connect` prints.

    Parameters
    ----------
    service
        The platform.
    person
        Who will use the client.
    place
        A folder for their home and their work.
    with_refresh_token
        Whether the client gets a login of its own.
    """
    home, folder = place / "home", place / "work"
    for path in (home, folder):
        path.mkdir(parents=True)
    options = ("--with-refresh-token",) if with_refresh_token else ()
    login(service, person, home)
    printed = coverslip(service, home, "connect", "--format", "json", *options)
    settings: dict[str, str] = json.loads(printed.stdout)
    return PublishedClient(person, home, folder, settings)


def login(service: TestService, person: Person, home: Path) -> None:
    """Log a person in with `coverslip user login`, by a one-time link."""
    secret = service.run(new_link(service.context.database, email=person.email, only_first=False))
    assert secret is not None
    coverslip(service, home, "user", "login", "--link", f"{service.url}/welcome?link={secret}")


def coverslip(service: TestService, home: Path, *arguments: str) -> Ended:
    """Run our own command line, which must end well."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERSLIP_")} | {
        "HOME": str(home),
        "COVERSLIP_HOME": str(home / "coverslip"),
        "COVERSLIP_API_ROOT": service.url,
    }
    ended = subprocess.run(
        [str(_COVERSLIP), *arguments],
        cwd=home,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended


def browser_command(*arguments: str) -> str:
    """The value of BROWSER for a browser that fills in our pages by itself.

    In the background, as desktop browsers are: the client serves its redirect address only once it has started one.
    """
    return f"{sys.executable} {BROWSER} {' '.join(arguments)} %s &"


def installed() -> bool:
    """Whether the published client is there."""
    return shutil.which("aignostics", path=str(PROGRAMS)) is not None


def json_of(ended: Ended) -> Any:
    """The JSON that a command printed, which must have ended well."""
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return json.loads(ended.stdout)
