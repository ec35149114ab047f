"""A program on this machine that receives webhook messages, and fails on demand."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

_LIMIT_S = 20


@dataclass(frozen=True)
class Answer:
    """How one request is answered: after a delay, with headers, or by closing the connection."""

    status: int = 204
    delay_s: float = 0
    headers: tuple[tuple[str, str], ...] = ()
    hang_up: bool = False


@dataclass(frozen=True)
class Received:
    """A request as it came, and the status it is answered with."""

    path: str
    headers: dict[str, str]
    body: bytes
    status: int

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def message(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.body)
        return content

    @property
    def event(self) -> tuple[str, int]:
        """The run and the number of its event."""
        data = self.message["data"]
        return data["run_id"], data["number"]


def is_signed(received: Received, secret: str) -> bool:
    """Whether one of the signatures is right: Standard Webhooks 1.0.0, section "Verifying signatures"."""
    assert abs(time.time() - int(received.headers["webhook-timestamp"])) < 300
    key = base64.b64decode(secret.split("_", 1)[1])
    signed = ".".join([received.id, received.headers["webhook-timestamp"], received.body.decode()])
    right = hmac.new(key, signed.encode(), hashlib.sha256).digest()
    found = [one.split(",", 1) for one in received.headers["webhook-signature"].split(" ")]
    return any(version == "v1" and hmac.compare_digest(base64.b64decode(value), right) for version, value in found)


class Receiver:
    """Answers with ``answers`` in turn, then with ``usual``; can be stopped and started again on the same port."""

    def __init__(self) -> None:
        self.all: list[Received] = []
        self.answers: deque[Answer] = deque()
        self.usual = Answer()
        self.refused_numbers: set[int] = set()
        self._lock = threading.Lock()
        self._port = 0

    def __enter__(self) -> "Receiver":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/hook"

    @property
    def taken(self) -> list[Received]:
        """What was answered with a 2xx."""
        return [one for one in self.all if 200 <= one.status < 300]

    def start(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                receiver._answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        self._port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait_for(self, count: int, *, taken: bool = True) -> list[Received]:
        """So many requests, or more: those that were taken, or all."""
        give_up_at = time.monotonic() + _LIMIT_S
        while len(found := self.taken if taken else list(self.all)) < count:
            assert time.monotonic() < give_up_at, f"{len(found)} of {count} requests came"
            time.sleep(0.01)
        return found

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self._lock:
            answer = self.answers.popleft() if self.answers else self.usual
            data = (json.loads(body) if body else {}).get("data") or {}
            if data.get("number") in self.refused_numbers:
                answer = Answer(500)
            self.all.append(Received(request.path, headers, body, 0 if answer.hang_up else answer.status))
        time.sleep(answer.delay_s)
        request.close_connection = True
        if answer.hang_up:
            return
        request.send_response(answer.status)
        for name, value in answer.headers:
            request.send_header(name, value)
        request.send_header("content-length", "0")
        request.end_headers()
