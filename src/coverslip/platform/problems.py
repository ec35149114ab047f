"""From a refused HTTP answer to the error that says what happened."""

import json
from typing import Any

import httpx
from pydantic import TypeAdapter, ValidationError

from coverslip.contract.quotas import QuotaExcess
from coverslip.platform.errors import (
    AccessDenied,
    Conflict,
    Gone,
    InvalidRequest,
    MetadataConflict,
    NotFound,
    Problem,
    QuotaExceeded,
    Refused,
    ServerDiskFull,
    ServerError,
    TooManyRequests,
)

ERROR_BY_STATUS: dict[int, type[Refused]] = {
    400: InvalidRequest,
    402: QuotaExceeded,
    403: AccessDenied,
    404: NotFound,
    409: Conflict,
    410: Gone,
    412: MetadataConflict,
    422: InvalidRequest,
    429: TooManyRequests,
    507: ServerDiskFull,
}
MAX_PLAIN_TEXT_CHARS = 300


def refusal(response: httpx.Response) -> Refused:
    """The error for an answer of status 4xx or 5xx, whose body has been read."""
    fallback = ServerError if response.status_code >= 500 else Refused
    return ERROR_BY_STATUS.get(response.status_code, fallback)(problem_of(response))


def problem_of(response: httpx.Response) -> Problem:
    """What the body says, be it a problem document, FastAPI's `detail`, or the page of a proxy in between."""
    status = f"{response.status_code} {response.reason_phrase}".strip()
    try:
        body = response.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        body = None
    if not isinstance(body, dict):
        return Problem(status=response.status_code, detail=_plain_text(response) or status)
    detail = body.get("detail") or body.get("title") or status
    faults = body.get("errors") or (detail if isinstance(detail, list) else [])
    return Problem(
        status=response.status_code,
        code=_text_or_none(body.get("code")),
        detail="The request is not valid." if isinstance(detail, list) else str(detail),
        remedy=_text_or_none(body.get("remedy")),
        errors=[_fault(fault) for fault in faults] if isinstance(faults, list) else [],
        quotas=_quotas(body.get("quotas")),
    )


def _fault(fault: Any) -> str:
    """One line for an entry of `errors`: where, then what."""
    if not isinstance(fault, dict):
        return str(fault)
    place = fault.get("loc") or fault.get("pointer") or ""
    if isinstance(place, list):
        place = ".".join(str(part) for part in place)
    message = fault.get("msg") or fault.get("detail") or fault.get("message") or json.dumps(fault)
    return f"{place}: {message}" if place else str(message)


def _quotas(value: Any) -> list[QuotaExcess]:
    """The quotas that a refusal names; none if another platform says something else by that name."""
    try:
        return TypeAdapter(list[QuotaExcess]).validate_python(value or [])
    except ValidationError:
        return []


def _plain_text(response: httpx.Response) -> str:
    if "html" in response.headers.get("content-type", ""):
        return ""
    return response.text.strip()[:MAX_PLAIN_TEXT_CHARS]


def _text_or_none(value: Any) -> str | None:
    return str(value) if value else None
