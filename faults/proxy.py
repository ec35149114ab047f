"""A proxy before the service that cuts connections, loses answers, and says that the store is away."""

import asyncio
import contextlib
import re
import socket
import struct
import threading
from types import TracebackType
from typing import Self

from coverslip.service.storage.backends import STORE_PATH

_HEAD_BYTES = 65_536
_CHUNK_BYTES = 262_144
_AWAY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_CONNECTION = re.compile(rb"\r\nconnection:[^\r]*", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Proxy:
    """Listens on a port of its own while its `with` block runs; each connection carries one request.

    Parameters
    ----------
    port
        Of the service on this machine.

    Attributes
    ----------
    refuses
        New connections are reset.
    loses_answers
        Requests arrive, but their connections are reset before the answer.
    store_is_away
        Requests to addresses of the store are answered with 503.
    """

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._open: set[asyncio.StreamWriter] = set()
        self.refuses = self.loses_answers = self.store_is_away = False
        self.url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        serve = asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_HEAD_BYTES)
        self._server = asyncio.run_coroutine_threadsafe(serve, self._loop).result()
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def cut(self) -> None:
        """Reset every connection there is."""
        self._loop.call_soon_threadsafe(self._reset_all)

    def _reset_all(self) -> None:
        for writer in self._open:
            _reset(writer)

    async def _end(self) -> None:
        self._server.close()
        serving = asyncio.all_tasks() - {asyncio.current_task()}
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await self._forward(reader, writer)
        finally:
            self._open.discard(writer)
            writer.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuses:
            _reset(writer)
            return
        head = await reader.readuntil(b"\r\n\r\n")
        if self.store_is_away and head.split(b" ", 2)[1].startswith(STORE_PATH.encode()):
            length = _LENGTH.search(head)
            await reader.readexactly(int(length[1]) if length else 0)
            writer.write(_AWAY)
            await writer.drain()
            return
        answers, service = await asyncio.open_connection("127.0.0.1", self._upstream)
        self._open.add(service)
        try:
            service.write(_CONNECTION.sub(b"", head)[:-2] + b"Connection: close\r\n\r\n")
            asking = asyncio.create_task(self._pass_on(reader, service))
            await self._pass_on(answers, writer, is_answer=True)
            asking.cancel()
        finally:
            self._open.discard(service)
            service.close()

    async def _pass_on(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, is_answer: bool = False
    ) -> None:
        """Until the source ends; a client that has gone takes its request along."""
        with contextlib.suppress(OSError):
            while chunk := await source.read(_CHUNK_BYTES):
                if is_answer and self.loses_answers:
                    _reset(target)
                    return
                target.write(chunk)
                await target.drain()
        if not is_answer:
            _reset(target)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection so that the other side is told of a reset, not of an end."""
    with contextlib.suppress(OSError):
        connection: socket.socket = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
