"""Field types that several models of the contract share."""

import json
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, AwareDatetime, Field, WithJsonSchema

MAX_URL_LENGTH = 2083

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


def _is_storable_json(value: dict[str, Any]) -> dict[str, Any]:
    # What PostgreSQL's jsonb cannot keep is refused here, with a reason, and not there.
    try:
        _is_storable_text(json.dumps(value, allow_nan=False, ensure_ascii=False).replace("\\u0000", "\x00"))
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    return value


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

Instant = Annotated[AwareDatetime, WithJsonSchema({"type": "string", "format": "date-time"})]
