"""The operations of the dialect: what is asked, done and answered."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import NamedTuple

from starlette.responses import Response, StreamingResponse

from coverslip.service.s3.answers import (
    entity_tag,
    is_unchanged,
    list_response,
    object_headers,
    wanted_range,
    xml_response,
)
from coverslip.service.s3.body import Body
from coverslip.service.s3.dialect_request import DialectRequest
from coverslip.service.s3.documents import Element, document, keys_to_delete
from coverslip.service.s3.errors import DialectError, DocumentMalformed, OperationUnsupported
from coverslip.service.s3.listing import list_request
from coverslip.service.s3.objects import Bucket

_MAX_DOCUMENT_BYTES = 8 * 1024**2
_HEADERS_NOT_OFFERED = ("x-amz-copy-source", "x-amz-server-side-encryption-customer-algorithm")


async def _get(bucket: Bucket, request: DialectRequest, _body: Body) -> Response:
    row = await bucket.find(request.key)
    headers = object_headers(row)
    if is_unchanged(row, request.headers):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    part = wanted_range(row, request.headers)
    start, end = part or (0, row.size_bytes)
    headers["Content-Length"] = str(end - start)
    status = HTTPStatus.OK
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{row.size_bytes}"
        status = HTTPStatus.PARTIAL_CONTENT
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    content = bucket.open(row, start, end)
    # What the store has to say against it must be known before the answer begins.
    first = await anext(content, b"")

    async def chunks() -> AsyncIterator[bytes]:
        yield first
        async for chunk in content:
            yield chunk

    return StreamingResponse(chunks(), status, headers)


async def _put(bucket: Bucket, request: DialectRequest, body: Body) -> Response:
    only_new = request.headers.get("if-none-match") == "*"
    if "if-match" in request.headers or ("if-none-match" in request.headers and not only_new):
        raise OperationUnsupported(operation="PUT with other conditions than 'If-None-Match: *'")
    row = await bucket.put(request.key, body, only_new=only_new)
    return Response(headers={"ETag": entity_tag(row)})


async def _delete(bucket: Bucket, request: DialectRequest, _body: Body) -> Response:
    await bucket.delete(request.key)
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def _head_bucket(_bucket: Bucket, _request: DialectRequest, _body: Body) -> Response:
    return Response()


async def _list(bucket: Bucket, request: DialectRequest, _body: Body) -> Response:
    wanted = list_request(request.query)
    return list_response(request.bucket, wanted, await bucket.list(wanted))


async def _delete_many(bucket: Bucket, _request: DialectRequest, body: Body) -> Response:
    text = bytearray()
    async for chunk in body.chunks():
        text += chunk
        if len(text) > _MAX_DOCUMENT_BYTES:
            raise DocumentMalformed
    keys, quiet = keys_to_delete(bytes(text))
    content: list[Element] = []
    for key in keys:
        try:
            await bucket.delete(key)
        except DialectError as error:
            content.append(("Error", [("Key", key), ("Code", error.s3_code), ("Message", str(error))]))
        else:
            if not quiet:
                content.append(("Deleted", [("Key", key)]))
    return xml_response(document("DeleteResult", content))


class _Operation(NamedTuple):
    answer: Callable[[Bucket, DialectRequest, Body], Awaitable[Response]]
    parameters: frozenset[str]


_OF_OBJECT = frozenset({"x-id"})
_OF_LIST = frozenset(
    {
        "list-type",
        "prefix",
        "delimiter",
        "continuation-token",
        "max-keys",
        "encoding-type",
        "start-after",
        "fetch-owner",
    }
)
_OPERATIONS: Mapping[tuple[str, bool], _Operation] = {
    ("GET", True): _Operation(_get, _OF_OBJECT),
    ("HEAD", True): _Operation(_get, _OF_OBJECT),
    ("PUT", True): _Operation(_put, _OF_OBJECT),
    ("DELETE", True): _Operation(_delete, _OF_OBJECT),
    ("GET", False): _Operation(_list, _OF_LIST),
    ("HEAD", False): _Operation(_head_bucket, frozenset()),
    ("POST", False): _Operation(_delete_many, frozenset({"delete"})),
}
"""By method, and whether a key is named."""


async def answer(bucket: Bucket, request: DialectRequest, body: Body) -> Response:
    """Do what a request asks for.

    Raises
    ------
    OperationUnsupported
        Also if its query or headers ask for more than is offered: nothing is done as if they had not been there.
    DialectError
        If it is refused.
    """
    operation = _OPERATIONS.get((request.method, bool(request.key)))
    if operation is None:
        raise OperationUnsupported(operation=f"{request.method} here")
    for name, _ in request.query:
        if name not in operation.parameters and not name.startswith(("X-Amz-", "response-")):
            raise OperationUnsupported(operation=f"{request.method} with '{name}'")
    for header in _HEADERS_NOT_OFFERED:
        if header in request.headers:
            raise OperationUnsupported(operation=f"{request.method} with '{header}'")
    return await operation.answer(bucket, request, body)
