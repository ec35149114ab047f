"""Run a module that ends with its supervisor: `python -m coverslip.embedded.child MODULE ARGUMENT...`.

So the service and the worker need to know nothing of the pipe that ties them to the supervisor.
"""

import os
import runpy
import signal
import sys
import time

from coverslip.embedded.parent_watch import exit_when_parent_dies

_GRACE_S = 10


def main() -> None:
    """Do what `python -m MODULE ARGUMENT...` does, and watch the pipe meanwhile."""
    exit_when_parent_dies(end)
    module = sys.argv[1]
    del sys.argv[0]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def end() -> None:
    """Ask this process to end as the supervisor would; end it and its process group after 10 s."""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_S)
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


if __name__ == "__main__":
    main()
