"""TCP ports to listen on."""

import random
import socket
import sys
from collections.abc import Iterator

# Below the ports that systems hand out to outgoing connections (Linux: from 32768), so that nothing takes a port of
# ours in the moment between the death of a process and its restart.
_FIRST, _LAST = 20000, 32000
_ATTEMPTS = 200


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on `port` (1 to 65535) of `host`'s address now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if sys.platform != "win32":
            # As servers do: connections of a former server that still close down are no obstacle.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port(preferred: int | None = None, host: str = "127.0.0.1") -> int:
    """`preferred` if it is free on `host`, else a random free port between 20000 and 32000.

    Raises
    ------
    OSError
        If no free port was found, for instance because `host` is no address of this machine.
    """
    for port in _candidates(preferred):
        if is_free(port, host):
            return port
    raise OSError(f"no free port on {host}")


def _candidates(preferred: int | None) -> Iterator[int]:
    if preferred is not None:
        yield preferred
    for _ in range(_ATTEMPTS):
        yield random.randint(_FIRST, _LAST)  # noqa: S311 - spreads choices, hides nothing
