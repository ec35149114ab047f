"""Field types that several models of the contract share."""

import json
import re
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, AwareDatetime, Field, WithJsonSchema

MAX_URL_LENGTH = 2083

MAX_JSON_DEPTH = 100
"""Of the free JSON that we keep: far below what any JSON library in use can read."""

# A backslash before it would be escaped itself, and so come in pairs.
_ESCAPED_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")

SEMVER_PATTERN = (
    r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$"
)
"""Semantic Versioning 2.0.0, the expression suggested by its specification."""

MIME_TYPE_PATTERN = r"^\w+\/\w+[-+.|\w+]+\w+$"


def _is_http_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an absolute http or https URL")
    return url


def _is_storable_text(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not contain the character U+0000")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("must not contain half of a surrogate pair") from None
    return text


def _is_nested_deeper(value: Any, levels: int) -> bool:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels == 0 or any(_is_nested_deeper(child, levels - 1) for child in children)


def _is_storable_json(value: dict[str, Any]) -> dict[str, Any]:
    # What PostgreSQL's jsonb cannot keep is refused here, with a reason, and not there.
    if _is_nested_deeper(value, MAX_JSON_DEPTH):
        raise ValueError(f"must not be nested more than {MAX_JSON_DEPTH} levels deep")
    written = json.dumps(value, allow_nan=False, ensure_ascii=False)
    if _ESCAPED_NUL.search(written):
        raise ValueError("must not contain the character U+0000")
    _is_storable_text(written)
    return value


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must lie within the years 1 to 9999, in UTC") from None


SemanticVersion = Annotated[str, Field(pattern=SEMVER_PATTERN)]
MimeType = Annotated[str, Field(pattern=MIME_TYPE_PATTERN)]
StorableText = Annotated[str, AfterValidator(_is_storable_text)]
JsonObject = Annotated[dict[str, Any], AfterValidator(_is_storable_json)]

# Signed URLs are kept to the letter: parsing and printing them again could break their signature.
DownloadUrl = Annotated[
    str,
    Field(min_length=1, max_length=MAX_URL_LENGTH),
    AfterValidator(_is_storable_text),
    AfterValidator(_is_http_url),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_URL_LENGTH, "format": "uri"}),
]

Instant = Annotated[AwareDatetime, AfterValidator(_in_utc), WithJsonSchema({"type": "string", "format": "date-time"})]
