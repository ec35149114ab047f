"""Whether the service answers."""

import http.client
import time
from urllib.parse import urlsplit

from coverslip.embedded.errors import ProcessFailed, ServiceNotHealthy
from coverslip.embedded.process import ManagedProcess

_POLL_S = 0.05
_REQUEST_LIMIT_S = 2


def wait_until_healthy(service: ManagedProcess, url: str, limit_s: float = 120) -> None:
    """Wait until GET /health at `url` answers 200.

    Raises
    ------
    ProcessFailed
        If the process ends before.
    ServiceNotHealthy
        If that takes longer than `limit_s` seconds.
    """
    deadline_s = time.monotonic() + limit_s
    while True:
        # Looked at before each answer: another program's answer at this address must not be taken for ours.
        if not service.alive():
            raise process_failure(service)
        if is_healthy(url):
            return
        if time.monotonic() > deadline_s:
            raise ServiceNotHealthy(address=url, seconds=limit_s, log=service.log, last_lines=service.last_lines())
        time.sleep(_POLL_S)


def is_healthy(url: str) -> bool:
    """Whether GET /health at `url` answers 200 now. No proxy is asked: the service is on this machine."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=_REQUEST_LIMIT_S)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def process_failure(process: ManagedProcess) -> ProcessFailed:
    """The error that tells how a process ended."""
    return ProcessFailed(
        name=process.name, returncode=process.returncode, log=process.log, last_lines=process.last_lines()
    )
