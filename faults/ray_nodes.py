"""A Ray cluster on this machine, whose nodes lose their power."""

import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

import psutil

from coverslip.embedded.ports import free_port

_NODES = 2
_STORE_BYTES = 80 << 20  # the least that Ray takes
_START_S = 60.0
_LOOK_S = 0.1


class RayNodes:
    """A head without processors, to which a worker connects, and nodes for items: each a process with its children.

    Attributes
    ----------
    address
        Of the head.
    nodes
        Those for items that live.
    """

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        self._log = folder / "log"
        temporary = f"--temp-dir={folder / 'ray'}"
        self._head = self._start("--head", f"--port={port}", "--num-cpus=0", "--include-dashboard=false", temporary)
        _await_port(port)
        self.nodes = [self._start_node() for _ in range(_NODES)]

    def strike(self, dice: random.Random) -> Callable[[], None]:
        """Kill everything on a node at once; what comes back puts another node in its place."""
        _kill(self.nodes.pop(dice.randrange(len(self.nodes))))
        return lambda: self.nodes.append(self._start_node())

    def stop(self) -> None:
        """Kill them all."""
        for process in (*self.nodes, self._head):
            _kill(process)

    def _start_node(self) -> "subprocess.Popen[bytes]":
        return self._start(f"--address={self.address}", "--num-cpus=1")

    def _start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--disable-usage-stats"]
        command += ["--node-ip-address=127.0.0.1", f"--object-store-memory={_STORE_BYTES}", *arguments]
        with self._log.open("ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


@contextmanager
def ray_nodes() -> Iterator[RayNodes]:
    """A running cluster; its nodes see the environment as it is now."""
    # Sockets lie in it, so its path must be short.
    folder = Path(tempfile.mkdtemp(prefix="r", dir="/tmp"))
    os.environ["RAY_TMPDIR"] = str(folder)
    with ExitStack() as stack:
        stack.callback(partial(shutil.rmtree, folder, ignore_errors=True))
        nodes = RayNodes(folder)
        stack.callback(nodes.stop)
        yield nodes


def _kill(process: "subprocess.Popen[bytes]") -> None:
    with suppress(psutil.NoSuchProcess):
        for each in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
            with suppress(psutil.NoSuchProcess):
                each.kill()
    process.wait()


def _await_port(port: int) -> None:
    give_up_at = time.monotonic() + _START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(_LOOK_S)
        else:
            return
