"""A request of the dialect: what is asked of which bucket and key."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from starlette.requests import Request

from coverslip.service.s3.errors import ArgumentInvalid, KeyTooLong
from coverslip.service.s3.presented_signature import Query

DIALECT_PATH = "/s3"
"""Below this path of the public address are the buckets."""

PUBLISHED_BUCKET_HOST = "storage.googleapis.com"
"""Where the published client looks for its bucket, whatever its settings say."""

_MAX_KEY_BYTES = 1024
_MAX_PARAMETERS = 100


@dataclass(frozen=True)
class DialectRequest:
    """A request, taken apart.

    Attributes
    ----------
    path
        The whole path as it is signed, not escaped.
    bucket, key
        What it names; an empty key is the bucket itself.
    query
        Names and values, not escaped.
    headers
        As they are signed: names in lower case, values of one name joined, spaces collapsed.
    """

    method: str
    path: str
    bucket: str
    key: str
    query: Query
    headers: Mapping[str, str]


def parse_request(request: Request) -> DialectRequest:
    """Take a request apart.

    Raises
    ------
    ArgumentInvalid, KeyTooLong
        If its address cannot name an object.
    """
    # What the client sent: the framework's own path is unescaped once more wherever a part is mounted.
    path = _unescaped(request.scope["raw_path"])
    bucket, key = bucket_and_key(path.removeprefix(request.scope.get("root_path", "")))
    headers: dict[str, list[str]] = {}
    for name, value in request.headers.items():
        headers.setdefault(name.lower(), []).append(" ".join(value.split()))
    return DialectRequest(
        method=request.method,
        path=path,
        bucket=bucket,
        key=key,
        query=parse_query(request.scope["query_string"]),
        headers={name: ",".join(values) for name, values in headers.items()},
    )


def bucket_and_key(path: str) -> tuple[str, str]:
    """Bucket and key of a path below the dialect's address.

    Raises
    ------
    ArgumentInvalid, KeyTooLong
    """
    bucket, _, key = path.removeprefix("/").partition("/")
    if "\x00" in key:
        raise ArgumentInvalid(fault="The key holds a NUL character")
    if len(key.encode()) > _MAX_KEY_BYTES:
        raise KeyTooLong
    return bucket, key


def parse_query(escaped: bytes) -> Query:
    """Names and values of a query.

    Raises
    ------
    ArgumentInvalid
    """
    try:
        query = parse_qsl(
            escaped.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MAX_PARAMETERS
        )
    except ValueError:
        raise ArgumentInvalid(fault="The query cannot be read") from None
    if any("\x00" in text for pair in query for text in pair):
        raise ArgumentInvalid(fault="The query holds a NUL character")
    return query


def _unescaped(path: bytes) -> str:
    try:
        return unquote(path.decode("ascii"), errors="strict")
    except UnicodeDecodeError:
        raise ArgumentInvalid(fault="The key is not UTF-8") from None
