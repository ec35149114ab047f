"""The dialect as an ASGI application."""

from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

from coverslip.service.context import context_of
from coverslip.service.errors import ServiceError
from coverslip.service.s3.answers import error_response
from coverslip.service.s3.authentication import authenticate
from coverslip.service.s3.body import Body
from coverslip.service.s3.dialect_request import parse_request
from coverslip.service.s3.errors import NoSuchKey
from coverslip.service.s3.objects import Bucket
from coverslip.service.s3.operations import answer
from coverslip.service.storage.errors import ObjectNotFound


async def s3_dialect(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request; what is below the address at which this is mounted is bucket and key."""
    if scope["type"] != "http":  # whatever is mounted gets those too
        await WebSocketClose()(scope, receive, send)
        return
    request = Request(scope, receive)
    try:
        response = await _answer(request)
    except ObjectNotFound:  # replaced twice, or the store has lost it
        response = error_response(NoSuchKey(), request.method, request.url.path)
    except ServiceError as error:
        response = error_response(error, request.method, request.url.path)
    except ClientDisconnect:  # nothing was kept, and nobody hears an answer
        response = Response(status_code=HTTPStatus.BAD_REQUEST)
    if response.status_code >= HTTPStatus.BAD_REQUEST and request.method in ("PUT", "POST"):
        # The body was not read to its end; a client that was not asked to go on sends its next request instead of it.
        response.headers["Connection"] = "close"
    await response(scope, receive, send)


async def _answer(raw: Request) -> Response:
    request = parse_request(raw)
    principal, presented = await authenticate(context_of(raw), request)
    body = Body(raw.stream(), request.headers, presented.payload)
    bucket = Bucket(context_of(raw), principal)
    try:
        return await answer(bucket, request, body)
    except ObjectNotFound:  # replaced since its row was read
        return await answer(bucket, request, body)
