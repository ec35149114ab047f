"""The child's side of the supervisor's pipe: end when the supervisor is gone."""

import os
import threading
from collections.abc import Callable

ENVIRONMENT_NAME = "COVERSLIP_PARENT_PIPE"


def exit_when_parent_dies(on_exit: Callable[[], None]) -> None:
    """Call `on_exit` from another thread once standard input ends, if COVERSLIP_PARENT_PIPE=1 says it is such a pipe.

    The system closes the pipe when the supervisor ends, a SIGKILL included, so nothing needs to be polled.
    """
    if os.environ.get(ENVIRONMENT_NAME) != "1":
        return

    def watch() -> None:
        while os.read(0, 4096):
            pass
        on_exit()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
