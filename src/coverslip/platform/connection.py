"""The HTTP connections of a client, and how long to wait before trying again."""

import platform
import random

import httpx

from coverslip import __version__
from coverslip.platform.settings import Settings

USER_AGENT = f"coverslip/{__version__} (Python {platform.python_version()}; {platform.system()} {platform.machine()})"

ATTEMPTS = 4
FIRST_WAIT_S = 0.1
MAX_WAIT_S = 60.0
MAX_CONNECTIONS = 20

LOOPBACK_PATTERNS = ("all://localhost", "all://127.0.0.1", "all://[::1]")


def open_connections(settings: Settings) -> httpx.Client:
    """A pool of connections. It carries no credentials: those are added to each request to the platform alone."""
    return httpx.Client(
        headers={"User-Agent": USER_AGENT},
        timeout=httpx.Timeout(settings.read_timeout_s, connect=settings.connect_timeout_s),
        limits=httpx.Limits(max_connections=MAX_CONNECTIONS),
        # A platform on this machine is never reached through the site's proxy.
        mounts=dict.fromkeys(LOOPBACK_PATTERNS),
    )


def wait_s(attempt: int, response: httpx.Response | None = None) -> float:
    """Seconds to wait after the failed `attempt` (0 is the first): exponential, with jitter so that many clients do not
    come back together, and at least what the server asks for in `Retry-After`."""
    backoff: float = FIRST_WAIT_S * 2**attempt * random.uniform(0.5, 1.5)  # noqa: S311
    asked = response.headers.get("retry-after", "") if response is not None else ""
    return min(MAX_WAIT_S, max(backoff, float(asked) if asked.isdecimal() else 0.0))


def reason_of(error: httpx.TransportError) -> str:
    """Why a request got no answer, in a few words."""
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    return str(error) or type(error).__name__
