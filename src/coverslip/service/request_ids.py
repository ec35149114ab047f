"""Every request has an id: in its answer, in problem documents, and in the log when it fails."""

import re
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coverslip.telemetry.ids import current_ids, note_ids

HEADER = "X-Request-ID"

_ACCEPTED = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")


def current_request_id() -> str | None:
    """The id of the request that is being answered; None outside of one."""
    return current_ids().get("request_id")


class RequestIds:
    """Takes the caller's ``X-Request-ID``, or makes one, and sends it back.

    One that could not stand in a log line as it is (other than letters, digits and ``._:/+=-``, or longer than 128) is
    replaced.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        request_id = given if _ACCEPTED.fullmatch(given) else str(uuid4())

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        # Never reset: each request is a task of its own, and the server logs its failure after we have returned.
        note_ids(request_id=request_id)
        await self._app(scope, receive, send_with_id)
