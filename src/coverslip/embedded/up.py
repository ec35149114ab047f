"""`up`: run the platform in the foreground until it is told to stop."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from coverslip.embedded.home import Home
from coverslip.embedded.platform import EmbeddedPlatform


def up(home: Home, host: str, port: int | None, workers: int, public_url: str | None) -> None:
    """Start the platform, print where it is found, and stop it on Ctrl-C or SIGTERM.

    Parameters are those of `EmbeddedPlatform`.

    Raises
    ------
    EmbeddedError
        If it cannot start.
    """
    with stopped_by_signal(), EmbeddedPlatform(home, port, host, workers, public_url, say) as platform:
        say("")
        say(f"Coverslip is running at {platform.url}")
        say(f"  API explorer  {platform.url}/api/v1/docs")
        say(f"  Data          {home.root}")
        say(f"  Logs          {home.logs}")
        if link := platform.login_link(only_first=True):
            say("")
            say("Open this link once to set up the first administrator:")
            say(f"  {link}")
        say("")
        say("Press Ctrl-C to stop.")
        threading.Event().wait()
    say("Stopped.")


@contextmanager
def stopped_by_signal() -> Iterator[None]:
    """End the block, wherever it is, at the first Ctrl-C, SIGTERM or hang-up; let nothing disturb its clean-up."""

    def stop(number: int, frame: FrameType | None) -> None:
        for name in numbers:
            signal.signal(name, lambda number, frame: None)
        say("Stopping")
        raise KeyboardInterrupt

    numbers = [signal.SIGINT, signal.SIGTERM]
    if sys.platform != "win32":
        numbers.append(signal.SIGHUP)
    former = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def say(line: str) -> None:
    """Print a line at once, also into a pipe."""
    print(line, flush=True)
