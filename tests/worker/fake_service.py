"""A service with its store and a host of slides, in memory over real sockets, that fails on demand."""

import asyncio
import base64
import json
import threading
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import google_crc32c
import uvicorn

SECRET = "do-not-log-me"
"""Part of every token and every signed URL; must appear in no log and in no report."""

CLOCK_AHEAD = timedelta(hours=3)
"""Of the clock of workers."""

_LOOK_S = 0.01
_HOLD_LEASE_S = 0.3

Send = Callable[[dict[str, Any]], Awaitable[None]]


def crc32c(content: bytes) -> str:
    """The checksum as the API writes it."""
    return base64.b64encode(google_crc32c.Checksum(content).digest()).decode()


@dataclass
class Slide:
    """A file on the host of slides, and how the host treats it."""

    content: bytes
    ranges: bool = True
    cap: int | None = None  # longest range the host answers with
    status: int | None = None
    redirect: str | None = None
    cuts: int = 0  # so many answers end in the middle
    chunk: int = 1 << 20
    encoding: str | None = None
    cookie: str | None = None
    length_stated: bool = True


@dataclass
class HeldItem:
    """An item that is leased, and all that the worker said about it."""

    lease: dict[str, Any]
    lost: bool = False
    heartbeats: list[dict[str, Any]] = field(default_factory=list)
    uploads: dict[str, bytes] = field(default_factory=dict)
    published: dict[str, dict[str, Any]] = field(default_factory=dict)
    report: dict[str, Any] | None = None
    reused: bool = False
    contents: list[dict[str, Any]] = field(default_factory=list)
    models: dict[str, str] = field(default_factory=dict)


@dataclass
class FakeService:
    """What tests set and see.

    Attributes
    ----------
    away
        The step ("lease", "heartbeat", "reuse", "sign", "upload", "publish", "report", "slide") and how it fails:
        "503", "drop" to break the connection, or "lost" to do what was asked for and break the connection then.
    held_up
        Steps that get no answer while they are in here.
    refuses
        The step and the status and code that it is refused with.
    seen
        How often each step was asked for.
    """

    url: str = ""
    lease_s: float = 10.0
    heartbeat_s: float = 0.2
    waiting: deque[HeldItem] = field(default_factory=deque)
    items: dict[str, HeldItem] = field(default_factory=dict)
    slides: dict[str, Slide] = field(default_factory=dict)
    away: dict[str, str] = field(default_factory=dict)
    held_up: set[str] = field(default_factory=set)
    refuses: dict[str, tuple[int, str]] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    uploading: int = 0

    def add(
        self, behave: str = "succeed", *, slide: Slide | None = None, url: str | None = None, **more: Any
    ) -> HeldItem:
        """Have an item waiting; ``more`` are the input's metadata, or fields of the lease."""
        slide = slide or Slide(b"a slide")
        name = uuid4().hex
        self.slides[name] = slide
        lease = {
            "lease_token": f"token-{SECRET}",
            "item_id": str(uuid4()),
            "run_id": str(uuid4()),
            "external_id": "case 7.svs",
            "attempt": 1,
            "application_id": "probe",
            "version_number": "1.0.0",
            "time_limit_s": 60,
            "memory_limit_mb": 512,
            "cpu": 1,
            "gpu": 0,
            "heartbeat_s": self.heartbeat_s,
        }
        lease |= {key: more.pop(key) for key in list(more) if key in lease}
        metadata = {"behave": behave, "checksum_base64_crc32c": crc32c(slide.content)} | more
        address = url or self.slide_url(name)
        lease["inputs"] = [{"name": "slide", "download_url": address, "metadata": metadata}]
        item = HeldItem(lease)
        self.items[lease["item_id"]] = item
        self.waiting.append(item)
        return item

    def reset(self) -> None:
        """Forget everything but the address."""
        vars(self).update(vars(FakeService(url=self.url)))

    def slide_url(self, name: str) -> str:
        return f"{self.url}/slides/{name}?signature={SECRET}"

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.requests.append((path, headers))
        if path.startswith("/slides/"):
            await self._guarded("slide", partial(self._slide, path.removeprefix("/slides/"), headers), send)
        elif path.startswith("/store/"):
            await self._guarded("upload", partial(self._store, scope, receive), send)
        else:
            body = await _body(receive)
            step = path.rpartition("/")[2].replace("leases", "lease")
            await self._guarded(step, partial(self._answer, step, path, headers, json.loads(body)), send)

    async def _guarded(self, step: str, answer: Callable[[Send], Awaitable[None]], send: Send) -> None:
        self.seen[step] += 1
        await self._look(lambda: step not in self.held_up)
        if self.away.get(step) in ("drop", "lost"):
            if self.away[step] == "lost":
                await answer(_nowhere)
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
            await send({"type": "http.response.body", "body": b"{"})
        elif step in self.away:
            await _say(send, int(self.away[step]), None)
        elif step in self.refuses:
            status, code = self.refuses[step]
            await _say(send, status, {"code": code, "detail": f"No {step}."})
        else:
            await answer(send)

    async def _answer(self, step: str, path: str, headers: dict[str, str], body: dict[str, Any], send: Send) -> None:
        assert headers["authorization"] == f"Bearer worker-{SECRET}"
        if step == "lease":
            await self._lease(send)
            return
        item = self.items.get(path.split("/")[5])
        if item is None or not self._is_held(item):
            await _say(send, 409, {"code": "LEASE.LOST", "detail": "Gone."})
            return
        assert headers["coverslip-lease-token"] == item.lease["lease_token"]
        if step == "heartbeat":
            item.heartbeats.append(body)
            item.lease["expires_at"] = self._expiry()
            await _say(send, 200, {"expires_at": item.lease["expires_at"]})
        elif step == "sign":
            done = body["name"] in item.published
            parameters = f"item={item.lease['item_id']}&name={body['name']}&crc={body['checksum_base64_crc32c']}"
            url = f"{self.url}/store/{uuid4().hex}?{parameters.replace('+', '%2B')}&signature={SECRET}"
            await _say(send, 200, {"upload_url": None if done else url})
        elif step == "publish":
            assert crc32c(item.uploads[body["name"]]) == body["checksum_base64_crc32c"]
            item.published[body["name"]] = body
            await _say(send, 204, None)
        elif step == "reuse":
            item.contents, item.models = body["inputs"], body["models"]
            await _say(send, 200, {"reused": item.reused})
        elif step == "report":
            item.report = body
            await _say(send, 204, None)

    async def _look(self, condition: Callable[[], bool]) -> None:
        while not condition():  # noqa: ASYNC110 - set by another thread
            await asyncio.sleep(_LOOK_S)

    def _is_held(self, item: HeldItem) -> bool:
        expired = datetime.fromisoformat(item.lease["expires_at"]) < _now()
        return not (item.lost or item.report or expired)

    def _expiry(self) -> str:
        return (_now() + timedelta(seconds=self.lease_s)).isoformat()

    async def _lease(self, send: Send) -> None:
        give_up_at = time.monotonic() + _HOLD_LEASE_S
        await self._look(lambda: bool(self.waiting) or time.monotonic() > give_up_at)
        if not self.waiting:
            await _say(send, 204, None)
            return
        item = self.waiting.popleft()
        item.lease["expires_at"] = self._expiry()
        await _say(send, 200, item.lease)

    async def _store(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
        self.uploading += 1
        try:
            content = await _body(receive)
        finally:
            self.uploading -= 1
        if crc32c(content) != query["crc"]:
            await _say(send, 400, {"code": "STORE.CHECKSUM_DIFFERS", "detail": scope["query_string"].decode()})
            return
        self.items[query["item"]].uploads[query["name"]] = content
        await _say(send, 201, None)

    async def _slide(self, name: str, headers: dict[str, str], send: Send) -> None:
        slide = self.slides[name]
        if slide.cookie and "cookie" in headers:
            await _say(send, 400, None)
            return
        more = [(b"set-cookie", slide.cookie.encode())] if slide.cookie else []
        if slide.redirect is not None:
            location = slide.redirect.encode()
            await send({"type": "http.response.start", "status": 307, "headers": [(b"location", location), *more]})
            await send({"type": "http.response.body"})
            return
        if slide.status is not None:
            await _say(send, slide.status, {"signature": SECRET})
            return
        content, status = slide.content, 200
        if slide.ranges and "range" in headers:
            first, last = (int(part) for part in headers["range"].removeprefix("bytes=").split("-"))
            if first >= len(content):
                await _say(send, 416, None)
                return
            last = min(last, len(content) - 1, first + (slide.cap or len(content)) - 1)
            status = 206
            more.append((b"content-range", f"bytes {first}-{last}/{len(content)}".encode()))
            content = content[first : last + 1]
        if slide.encoding:
            more.append((b"content-encoding", slide.encoding.encode()))
        if slide.length_stated:
            more.append((b"content-length", str(len(content)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": more})
        if slide.cuts:
            slide.cuts -= 1
            content = content[: len(content) // 2]
        for start in range(0, len(content), slide.chunk):
            await self._look(lambda: "slide body" not in self.held_up)
            await send({"type": "http.response.body", "body": content[start : start + slide.chunk], "more_body": True})
        await send({"type": "http.response.body"})


def _now() -> datetime:
    """This service's clock: nobody has set it for long."""
    return datetime.now(UTC) + CLOCK_AHEAD


async def _nowhere(event: dict[str, Any]) -> None:
    pass


async def _say(send: Send, status: int, body: object) -> None:
    content = b"" if body is None else json.dumps(body).encode()
    headers = [(b"date", format_datetime(_now(), usegmt=True).encode())]
    if status != 204:
        headers += [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def _body(receive: Any) -> bytes:
    content = bytearray()
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ConnectionError
        content += event.get("body", b"")
        if not event.get("more_body"):
            return bytes(content)


@contextmanager
def serve() -> Iterator[FakeService]:
    """A running fake service."""
    service = FakeService()
    config = uvicorn.Config(
        service,
        host="127.0.0.1",
        port=0,
        log_level="critical",
        lifespan="off",
        date_header=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="fake-service")
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the fake service did not start"
        time.sleep(0.01)
    service.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield service
    finally:
        service.held_up.clear()
        server.should_exit = True
        thread.join()
