"""run/platform.json: where the running platform is found."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import psutil

from coverslip.embedded.home import Home
from coverslip.embedded.private_file import write_private


@dataclass(frozen=True)
class Address:
    """What platform.json holds.

    Attributes
    ----------
    url
        Address by which people reach the platform.
    local_url
        Address of the service on this machine; the same unless a proxy does TLS.
    pid
        Process id of the supervisor.
    started_at
        When the platform was ready, UTC, ISO 8601.
    """

    url: str
    local_url: str
    pid: int
    started_at: str


@contextmanager
def announced(home: Home, url: str, local_url: str) -> Iterator[Address]:
    """Have the address in platform.json as long as the block runs."""
    address = Address(url, local_url, os.getpid(), datetime.now(UTC).isoformat(timespec="seconds"))
    write_private(home.address_file, json.dumps(asdict(address)).encode() + b"\n")
    try:
        yield address
    finally:
        home.address_file.unlink(missing_ok=True)


def read_address(home: Home) -> Address | None:
    """The address of the platform that runs on `home`, or None; what a killed one left behind counts as none."""
    try:
        address = Address(**json.loads(home.address_file.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    return address if psutil.pid_exists(address.pid) else None
