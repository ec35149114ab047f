"""Errors that become HTTP answers.

The body is ``{"detail": …}`` as the published contract has it; a client that accepts ``application/problem+json``
gets a problem document (RFC 9457) with the stable ``code`` and the remedy.
"""

from http import HTTPStatus
from typing import Any, ClassVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from coverslip.contract.errors import CoverslipError
from coverslip.service.request_ids import current_request_id

PROBLEM_MEDIA_TYPE = "application/problem+json"

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

OF_EVERY_OPERATION: dict[int | str, dict[str, Any]] = {401: {"description": "No valid token"}}
"""Answers for the documents of the APIs, whose operations all need a token."""


class ServiceError(CoverslipError):
    """The service refuses the request."""

    code = "SERVICE.ERROR"
    status: ClassVar[int] = HTTPStatus.INTERNAL_SERVER_ERROR
    remedy: ClassVar[str] = ""
    headers: ClassVar[dict[str, str]] = {}

    place: ClassVar[tuple[str, ...]] = ()
    """Where in the request the fault lies, such as ``("query", "sort")``."""

    @property
    def errors(self) -> list[dict[str, Any]]:
        """Each single fault with its place, where that is known."""
        return [{"loc": list(self.place), "msg": str(self), "type": self.code}] if self.place else []

    @property
    def members(self) -> dict[str, Any]:
        """Further members of the body, for programs (RFC 9457, section 3.2)."""
        return {}


class Forbidden(ServiceError):
    """You may see this, but not do that: it takes {needed}."""

    code = "ACCESS.FORBIDDEN"
    status = HTTPStatus.FORBIDDEN
    remedy = "Ask an administrator of your organization."


def _answer(
    request: Request,
    *,
    status: int,
    detail: str,
    code: str,
    remedy: str = "",
    errors: list[dict[str, Any]] | None = None,
    members: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    if PROBLEM_MEDIA_TYPE not in request.headers.get("accept", ""):
        # The contract has a list for this status, and says nothing of the others.
        is_list = status == HTTPStatus.UNPROCESSABLE_ENTITY
        body = {"detail": errors if is_list else detail, **(members or {})}
        return JSONResponse(body, status_code=status, headers=headers)
    problem: dict[str, Any] = {"title": HTTPStatus(status).phrase, "status": status, "code": code, "detail": detail}
    if remedy:
        problem["remedy"] = remedy
    if errors:
        problem["errors"] = errors
    problem.update(members or {})
    if request_id := current_request_id():
        problem["request_id"] = request_id
    return JSONResponse(problem, status_code=status, headers=headers, media_type=PROBLEM_MEDIA_TYPE)


async def _service_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ServiceError)
    return refusal(request, error)


def refusal(request: Request, error: ServiceError) -> JSONResponse:
    """The answer to a request that is refused."""
    return _answer(
        request,
        status=error.status,
        detail=str(error),
        code=error.code,
        remedy=error.remedy,
        errors=error.errors,
        members=error.members,
        headers=error.headers,
    )


async def _validation_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    # Only what the contract names: `input` would repeat signed URLs into logs and terminals.
    faults = [{"loc": list(e["loc"]), "msg": e["msg"], "type": e["type"]} for e in error.errors()]
    return _answer(
        request,
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
        detail="The request is not valid; `errors` names each fault.",
        code="REQUEST.INVALID",
        remedy="Correct the fields named in `errors`; /api/v1/docs describes each.",
        errors=faults,
    )


async def _database_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, DBAPIError)
    # Anything else than a lost connection is a mistake of ours, and is logged as one.
    if not isinstance(error, OperationalError | InterfaceError) and not error.connection_invalidated:
        raise error
    return _answer(
        request,
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        detail="The database does not answer.",
        code="SERVICE.DATABASE_UNAVAILABLE",
        remedy="Try again in some seconds; if it stays so, the operator finds the reason in the logs.",
        headers={"Retry-After": "1"},
    )


def _methods_served(request: Request) -> list[str]:
    """All methods of an address; Starlette itself names those of one of its routes."""
    routes = request.app.routes
    return [
        method
        for method in _METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, (ValueError, RecursionError)):
        # FastAPI's answer to a body whose bytes are no UTF-8, or too deep to be read, is 400; to any other it is 422.
        fault = {"loc": ("body",), "msg": "The body cannot be read as JSON", "type": "json_invalid"}
        return await _validation_error(request, RequestValidationError([fault]))
    code = f"HTTP.{HTTPStatus(error.status_code).name}"
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods_served(request))
    return _answer(request, status=error.status_code, detail=error.detail, code=code, headers=headers)


async def _unexpected_error(request: Request, error: Exception) -> JSONResponse:
    request_id = current_request_id()
    # Starlette raises the error anew after this answer, through the outer application too, and the server logs it with
    # its notes. Without the query, which may hold secrets.
    note = f"request {request_id}: {request.method} {request.url.path}"
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)
    return _answer(
        request,
        status=HTTPStatus.INTERNAL_SERVER_ERROR,
        detail=f"The service failed in a way it should not; the operator finds request {request_id} in its log.",
        code="SERVICE.UNEXPECTED",
        remedy="Try again later; if it stays so, give the operator the request id.",
    )


def install_error_handlers(app: FastAPI) -> None:
    """Make ``app`` answer errors as this module says."""
    app.add_exception_handler(ServiceError, _service_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(DBAPIError, _database_error)
    app.add_exception_handler(Exception, _unexpected_error)
