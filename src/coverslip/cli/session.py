"""The client a command works with."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coverslip.platform.client import Client


@contextmanager
def open_client() -> Iterator["Client"]:
    """A client of the platform that the settings name, logged in as the person."""
    from coverslip.platform.client import Client

    with Client() as client:
        yield client
