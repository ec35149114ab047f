"""What `fake-gcs-server` lacks of Google Cloud Storage: it checks no URL and no token, and has no multipart uploads."""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4
from xml.sax.saxutils import escape

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from harness.google_signatures import NotAllowed, check_bearer_token, check_signed_url

_PASSED_ON = ("range", "if-range", "content-type")
_NAMESPACE = '"http://s3.amazonaws.com/doc/2006-03-01/"'


@dataclass
class _Multipart:
    path: str
    begun_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    parts: dict[int, bytes] = field(default_factory=dict)


class Front:
    """An ASGI application that checks each request, and answers it or passes it on.

    Parameters
    ----------
    behind
        Address of the emulator.
    email, key
        Of the only account that may do anything.
    """

    def __init__(self, behind: str, *, email: str, key: RSAPublicKey) -> None:
        self._behind = behind
        self._email = email
        self._key = key
        self._uploads: dict[str, _Multipart] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        target = scope["raw_path"].decode() + (f"?{scope['query_string'].decode()}" if scope["query_string"] else "")
        try:
            self._check(request, target)
            response = await self._answer(request, target, await request.body())
        except NotAllowed as error:
            response = Response(f"<Error><Details>{error}</Details></Error>", 403, media_type="application/xml")
        except ClientDisconnect:  # cut: nothing is kept
            return
        await response(scope, receive, send)

    def _check(self, request: Request, target: str) -> None:
        if "authorization" in request.headers:
            check_bearer_token(request.headers["authorization"], email=self._email, key=self._key)
        else:
            check_signed_url(request.method, target, dict(request.headers), email=self._email, key=self._key)

    async def _answer(self, request: Request, target: str, body: bytes) -> Response:
        query = parse_qs(urlsplit(target).query, keep_blank_values=True)
        if "uploads" in query:
            if request.method == "GET":
                return _xml(self.listed())
            upload_id = uuid4().hex
            self._uploads[upload_id] = _Multipart(unquote(urlsplit(target).path).split("/", 2)[2])
            return _xml(
                f"<InitiateMultipartUploadResult><UploadId>{upload_id}</UploadId></InitiateMultipartUploadResult>"
            )
        if "uploadId" in query:
            return await self._multipart(request, target, query, body)
        return await self._pass_on(request, target, body)

    def listed(self) -> str:
        """The answer to who asks which multipart uploads have not ended."""
        begun = "".join(
            f"<Upload><Key>{escape(upload.path)}</Key><UploadId>{upload_id}</UploadId>"
            f"<Initiated>{upload.begun_at.isoformat()}</Initiated></Upload>"
            for upload_id, upload in self._uploads.items()
        )
        return f"<ListMultipartUploadsResult xmlns={_NAMESPACE}>{begun}</ListMultipartUploadsResult>"

    async def _multipart(self, request: Request, target: str, query: dict[str, list[str]], body: bytes) -> Response:
        upload_id = query["uploadId"][0]
        upload = self._uploads.get(upload_id)
        if upload is None:
            return Response(status_code=404)
        if request.method == "PUT":
            upload.parts[int(query["partNumber"][0])] = body
            return Response(headers={"ETag": f'"{hashlib.md5(body).hexdigest()}"'})
        del self._uploads[upload_id]
        if request.method == "DELETE":
            return Response(status_code=204)
        numbers = [int(number) for number in re.findall(rb"<PartNumber>(\d+)</PartNumber>", body)]
        whole = b"".join(upload.parts[number] for number in numbers)
        put = await self._pass_on(request, target.partition("?")[0], whole, method="PUT")
        assert put.status_code == 200
        return _xml('<CompleteMultipartUploadResult><ETag>"1"</ETag></CompleteMultipartUploadResult>')

    async def _pass_on(self, request: Request, target: str, body: bytes, method: str | None = None) -> Response:
        method = method or request.method
        if method == "PUT" and "X-Goog-Algorithm" not in target:
            target += "?X-Goog-Algorithm=GOOG4-RSA-SHA256"  # it knows no other kind of PUT
        headers = {name: value for name, value in request.headers.items() if name in _PASSED_ON}
        async with httpx.AsyncClient(timeout=60, verify=False, trust_env=False) as client:
            answer = await client.request(method, self._behind + target, content=body, headers=headers)
        if method == "PUT" and answer.is_success:  # it answers with JSON, where Google's XML API has headers
            return Response(
                headers={"ETag": f'"{answer.json()["etag"]}"', "x-goog-generation": answer.json()["generation"]}
            )
        kept = {name: value for name, value in answer.headers.items() if name not in ("date", "content-length")}
        if method == "HEAD":
            kept["content-length"] = answer.headers.get("content-length", "0")
        return Response(answer.content, answer.status_code, kept)


def _xml(text: str) -> Response:
    return Response(text, media_type="application/xml")
