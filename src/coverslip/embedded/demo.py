"""`make demo`: the whole platform, a real slide and its results, by the commands that a user would type."""

import logging
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from coverslip.contract.errors import CoverslipError
from coverslip.dataset.errors import SampleSlideUnreachable
from coverslip.dataset.sample_slide import draw_phantom_slide, fetch_sample_slide
from coverslip.embedded.address import read_address
from coverslip.embedded.demo_summary import print_summary
from coverslip.embedded.errors import AlreadyRunning, DemoCommandFailed
from coverslip.embedded.home import Home, open_home
from coverslip.embedded.login_link import login_link_of_running
from coverslip.embedded.platform import EmbeddedPlatform
from coverslip.embedded.up import say, stopped_by_signal

_INTERRUPTED = 130
_FIRST_ADMINISTRATOR = ("--organization", "Demo Laboratory", "--name", "Demo User", "--email", "demo@localhost")


@dataclass(frozen=True)
class Running:
    """A platform that answers, and how its operator gets a link to log in."""

    url: str
    login_link: Callable[[], str | None]


def main() -> int:
    """Run the demo; the exit code is 0 only if the slide was processed and its results are here."""
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.WARNING)
    done = False
    try:
        with stopped_by_signal():
            home = open_home()
            with _platform(home) as platform:
                results = _use(home, platform)
            say("7  Platform stopped; `.venv/bin/coverslip up` starts it again with everything in it")
            _summarize(results)
            done = True
    except CoverslipError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    return 0 if done else _INTERRUPTED


@contextmanager
def _platform(home: Home) -> Iterator[Running]:
    """The platform on ``home``: the one that runs already, else one for the demo."""
    say("1  Starting the platform: database, object store, service, one worker")
    try:
        platform = EmbeddedPlatform(home, say=lambda line: say(f"   {line}"))
        with platform:
            yield Running(platform.url, platform.login_link)
    except AlreadyRunning:
        address = read_address(home)
        if address is None:
            raise
        say(f"   It runs already at {address.url}; using it, and leaving it running")
        yield Running(address.url, lambda: login_link_of_running(home))


def _use(home: Home, platform: Running) -> Path:
    """Log in and execute a run, as a user would; returns the folder of its results."""
    say(f"2  Platform is at {platform.url}, its API explorer at {platform.url}/api/v1/docs")
    folder = home.root / "demo"
    say("3  Fetching a real H&E slide: CMU-1-Small-Region (skin, CC0, 2 MB)")
    slide = _slide(folder)
    say("4  Logging in")
    if _coverslip(home, platform, "user", "whoami", quiet=True) != 0:
        link = platform.login_link()
        _must(home, platform, "user", "login", "--link", str(link), *_FIRST_ADMINISTRATOR)
    say("5  Sending the slide to the application test-app, watching it, downloading its results")
    table = folder / "metadata.csv"
    before = set(folder.iterdir())
    # Processed anew even in a second demo: this is to be watched.
    _must(
        home, platform, "application", "run", "execute", "test-app", str(table), str(slide.parent), "--no-reuse-results"
    )
    run_folder = next(iter({path for path in folder.iterdir() if path.is_dir()} - before))
    say("6  Run " + run_folder.name + " is complete")
    return run_folder


def _slide(folder: Path) -> Path:
    """A folder of its own for the real slide, or for a drawn one where there is no network."""
    try:
        return fetch_sample_slide(folder / "slides")
    except SampleSlideUnreachable as error:
        say(f"   {error.facts['source']} cannot be reached: {error.facts['reason']}")
        say("   Offline: using a phantom instead, a slide that is drawn and shows no real tissue")
        return draw_phantom_slide(folder / "phantom")


def _must(home: Home, platform: Running, *arguments: str) -> None:
    code = _coverslip(home, platform, *arguments)
    if code != 0:
        raise DemoCommandFailed(command=shlex.join(("coverslip", *arguments[:3])), code=code)


def _coverslip(home: Home, platform: Running, *arguments: str, quiet: bool = False) -> int:
    """Run `coverslip` as a user of this home would, and show the command."""
    if not quiet:
        print(f"   $ coverslip {shlex.join(arguments)}", flush=True)
    program = shutil.which("coverslip", path=Path(sys.executable).parent)
    assert program is not None, "the package is installed in this environment"
    environment = os.environ | {"COVERSLIP_HOME": str(home.root), "COVERSLIP_API_ROOT": platform.url}
    output = subprocess.DEVNULL if quiet else None
    return subprocess.run([program, *arguments], env=environment, stdout=output, stderr=output, check=False).returncode


def _summarize(run_folder: Path) -> None:
    console = Console(width=None if sys.stdout.isatty() else 110)
    console.print()
    print_summary(console, run_folder)
    say(f"Results: {run_folder}")


if __name__ == "__main__":
    sys.exit(main())
