"""What the dialect answers."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus

from starlette.responses import Response

from coverslip.service.database.rows import AnyRow
from coverslip.service.errors import ServiceError
from coverslip.service.request_ids import current_request_id
from coverslip.service.s3.documents import Element, document, url_encoded
from coverslip.service.s3.errors import DialectError, PreconditionFailed, RangeUnsatisfiable
from coverslip.service.s3.listing import ListPage, ListRequest, token_after
from coverslip.service.storage.store import content_name

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


def xml_response(content: bytes, status: int = HTTPStatus.OK) -> Response:
    """An XML document as an answer."""
    return Response(content, status_code=status, media_type="application/xml")


def error_response(error: ServiceError, method: str, resource: str) -> Response:
    """An error as S3 says it."""
    if method == "HEAD":
        return Response(status_code=error.status)
    if isinstance(error, DialectError):
        code = error.s3_code
    else:
        code = "ServiceUnavailable" if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else "InvalidRequest"
    content: list[Element] = [
        ("Code", code),
        ("Message", str(error)),
        ("Resource", resource),
        ("RequestId", current_request_id() or ""),
    ]
    return xml_response(document("Error", content, namespace=None), error.status)


def entity_tag(row: AnyRow) -> str:
    """The ETag of an object: the MD5 of its content where that is known, as for every single PUT to S3.

    What was sent in parts has one with a hyphen, as S3 has it for multipart uploads.
    """
    return f'"{row.md5_hex or content_name(row.size_bytes, row.checksum_base64_crc32c)}"'


def object_headers(row: AnyRow) -> dict[str, str]:
    """What is said of an object with every answer; never sniffed, never run by a browser."""
    return {
        "ETag": entity_tag(row),
        "Last-Modified": format_datetime(row.created_at.astimezone(UTC), usegmt=True),
        "Accept-Ranges": "bytes",
        "Content-Type": "application/octet-stream",
        "Cache-Control": "private",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox",
    }


def is_unchanged(row: AnyRow, headers: Mapping[str, str]) -> bool:
    """Whether the client has this content already.

    Raises
    ------
    PreconditionFailed
        If it demands another content than the present one.
    """
    if "if-match" in headers and not _names(headers["if-match"], entity_tag(row)):
        raise PreconditionFailed
    return "if-none-match" in headers and _names(headers["if-none-match"], entity_tag(row))


def _names(header: str, tag: str) -> bool:
    given = {one.strip().removeprefix("W/").strip('"') for one in header.split(",")}
    return bool({"*", tag.strip('"')} & given)


def wanted_range(row: AnyRow, headers: Mapping[str, str]) -> tuple[int, int] | None:
    """The part of an object that is asked for, from and up to, not including; None for all of it.

    Raises
    ------
    RangeUnsatisfiable
    """
    found = _RANGE.fullmatch(headers.get("range", ""))
    # Ranges of other forms are answered with the whole, as RFC 9110, section 14.2 allows.
    if found is None or found[0] == "bytes=-" or headers.get("if-range", entity_tag(row)) != entity_tag(row):
        return None
    size_bytes = int(row.size_bytes)
    first, last = found.groups()
    if not first:
        start, end = max(size_bytes - int(last), 0), size_bytes
    else:
        start, end = int(first), min(int(last) + 1, size_bytes) if last else size_bytes
        if last and int(last) < start:
            return None
    if start >= size_bytes:
        raise RangeUnsatisfiable
    return start, end


def list_response(bucket: str, request: ListRequest, page: ListPage) -> Response:
    """A page of a list."""
    shown = url_encoded if request.url_encoding else str
    content: list[Element] = [
        ("Name", bucket),
        ("Prefix", shown(request.prefix)),
        ("MaxKeys", str(request.max_keys)),
        ("KeyCount", str(len(page.entries))),
        ("IsTruncated", "true" if page.truncated else "false"),
    ]
    if request.delimiter:
        content.append(("Delimiter", shown(request.delimiter)))
    if request.url_encoding:
        content.append(("EncodingType", "url"))
    if request.start_after:
        content.append(("StartAfter", shown(request.start_after)))
    if request.token:
        content.append(("ContinuationToken", request.token))
    if page.truncated:
        content.append(("NextContinuationToken", token_after(page.last)))
    for entry in page.entries:
        if isinstance(entry, str):
            content.append(("CommonPrefixes", [("Prefix", shown(entry))]))
            continue
        details: list[Element] = [
            ("Key", shown(entry.key)),
            ("LastModified", _instant(entry.created_at)),
            ("ETag", entity_tag(entry)),
            ("Size", str(entry.size_bytes)),
            ("StorageClass", "STANDARD"),
        ]
        content.append(("Contents", details))
    return xml_response(document("ListBucketResult", content))


def _instant(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
