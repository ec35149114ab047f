"""An event loop that ends although names are still being looked up."""

import asyncio
import contextlib
import socket
import sys
import threading
from typing import Any

if sys.platform == "win32":
    _SystemLoop = asyncio.ProactorEventLoop
else:
    _SystemLoop = asyncio.SelectorEventLoop


class WorkerLoop(_SystemLoop):
    """asyncio's loop, but a thread that waits for a name server keeps no process from ending.

    The system's resolver cannot be interrupted and may take minutes. asyncio asks it in a thread of its pool, which is
    waited for when the loop closes and again when the process ends; here each question has a daemon thread.
    """

    async def getaddrinfo(
        self,
        host: Any,
        port: Any,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002 - asyncio's signature
        proto: int = 0,
        flags: int = 0,
    ) -> Any:
        """As `socket.getaddrinfo`."""
        answer = self.create_future()

        def settle(found: Any, failure: Exception | None) -> None:
            if answer.done():  # nobody waits any more
                return
            if failure is None:
                answer.set_result(found)
            else:
                answer.set_exception(failure)

        def ask() -> None:
            found, failure = None, None
            try:
                found = socket.getaddrinfo(host, port, family, type, proto, flags)
            except Exception as error:
                failure = error
            with contextlib.suppress(RuntimeError):  # the loop has been closed meanwhile
                self.call_soon_threadsafe(settle, found, failure)

        threading.Thread(target=ask, name="resolver", daemon=True).start()
        return await answer
