"""Every request is timed and traced, and told in the log when that is of interest."""

import logging
import time
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coverslip.service.context import context_of
from coverslip.telemetry.ids import current_ids, note_ids
from coverslip.telemetry.traces import describe_span, span

_NAMED = ("run_id", "item_id")
_UNKNOWN_ROUTE = "(none)"

log = logging.getLogger(__name__)


class RequestLog:
    """Observes requests. Of an address only its route is told: the rest may be secret, and of endless variety."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = HTTPStatus.INTERNAL_SERVER_ERROR.value
        began_s = time.perf_counter()

        async def send_noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with span(scope["method"], carried=Headers(scope=scope)):
            try:
                await self._app(scope, receive, send_noting_status)
            finally:
                duration_s = time.perf_counter() - began_s
                method, route = scope["method"], _route(scope)
                describe_span(f"{method} {route}", {"status": status, **current_ids()})
                context_of(Request(scope)).metrics.requests.labels(method, route, status).observe(duration_s)
                log.log(_level(status), "%s %s answered %d after %.0f ms", method, route, status, 1000 * duration_s)


async def note_path_ids(request: Request) -> None:
    """Let the log say which run and item a request is about; a dependency of every route."""
    note_ids(**{name: value for name, value in request.path_params.items() if name in _NAMED})


def _route(scope: Scope) -> str:
    route = scope.get("route")
    return f"{scope.get('root_path', '')}{route.path}" if route is not None else _UNKNOWN_ROUTE


def _level(status: int) -> int:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return logging.WARNING
    return logging.INFO if status >= HTTPStatus.BAD_REQUEST else logging.DEBUG
