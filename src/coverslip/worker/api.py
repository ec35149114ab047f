"""The worker API as a client sees it."""

import asyncio
import logging
import random
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from uuid import UUID

import httpx
from pydantic import BaseModel, ValidationError

from coverslip.contract.worker import (
    ArtifactPublishRequest,
    ArtifactUploadRequest,
    ArtifactUploadResponse,
    HeartbeatRequest,
    HeartbeatResponse,
    Lease,
    LeaseRequest,
    ReportRequest,
    ReuseRequest,
    ReuseResponse,
)
from coverslip.telemetry.traces import carry_trace
from coverslip.worker.errors import LeaseLost, ServiceAway, ServiceRefused

_PROBLEM = "application/problem+json, application/json"
_RETRY_FROM_S = 0.2
_RETRY_TO_S = 10.0
_ANSWER_S = 20.0
_COPYING_S = 600.0  # the service may have to copy large files within a cloud store
_VERIFIED_BYTES_PER_S = 10e6  # at least; the service reads an artifact that its store could not verify
_DETAIL_CHARACTERS = 1000
_TRY_AGAIN = (httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_EARLY, httpx.codes.TOO_MANY_REQUESTS)

Answer = TypeVar("Answer", bound=BaseModel)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Granted:
    """A lease, and how long it lasts from now without a heartbeat."""

    lease: Lease
    expires_in_s: float


class WorkerApi:
    """Requests of one worker. Every one is repeated while the service is away or says it is at fault.

    All methods raise ``LeaseLost`` or ``ServiceRefused`` when the service says no, and but for `lease` ``ServiceAway``
    when they have tried for long.

    Parameters
    ----------
    api_root
        Address of the service.
    token
        The worker's token.
    patience_s
        How long a request is repeated. Far longer than a lease: this is for a service that lives but fails.
    """

    def __init__(self, api_root: str, token: str, *, patience_s: float = 600) -> None:
        self._patience_s = patience_s
        self._client = httpx.AsyncClient(
            base_url=f"{api_root}/api/worker/v1",
            headers={"Authorization": f"Bearer {token}", "Accept": _PROBLEM},
            transport=httpx.AsyncHTTPTransport(),
            trust_env=False,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def lease(self, request: LeaseRequest) -> Granted | None:
        """The next item, None if there is nothing to do now."""
        # Repeating a lease whose answer was lost leaves an item leased to nobody; its lease expires.
        response = await self._post("/leases", request, answer_s=request.wait_s + _ANSWER_S, for_ever=True)
        if response.status_code == httpx.codes.NO_CONTENT:
            return None
        lease = _read(Lease, response)
        return Granted(lease, _seconds_until(lease.expires_at, response))

    async def heartbeat(self, item_id: UUID, token: str, request: HeartbeatRequest) -> float:
        """Keep a lease alive; returns how many seconds it lasts from now."""
        response = await self._post(f"/leases/{item_id}/heartbeat", request, token)
        return _seconds_until(_read(HeartbeatResponse, response).expires_at, response)

    async def sign_artifact(self, item_id: UUID, token: str, request: ArtifactUploadRequest) -> str | None:
        """Where to upload an artifact; None if it is published already."""
        response = await self._post(f"/leases/{item_id}/artifacts/sign", request, token)
        return _read(ArtifactUploadResponse, response).upload_url

    async def publish_artifact(self, item_id: UUID, token: str, request: ArtifactPublishRequest) -> None:
        """Make an uploaded artifact available."""
        answer_s = _ANSWER_S + request.size_bytes / _VERIFIED_BYTES_PER_S
        await self._post(f"/leases/{item_id}/artifacts/publish", request, token, answer_s=answer_s)

    async def reuse(self, item_id: UUID, token: str, request: ReuseRequest) -> bool:
        """Say what the inputs are; True if the item was given the artifacts of an earlier one with the same."""
        response = await self._post(f"/leases/{item_id}/reuse", request, token, answer_s=_COPYING_S)
        return _read(ReuseResponse, response).reused

    async def report(self, item_id: UUID, token: str, request: ReportRequest) -> None:
        """Say how the attempt ended."""
        await self._post(f"/leases/{item_id}/report", request, token)

    async def _post(
        self,
        path: str,
        body: BaseModel,
        lease_token: str | None = None,
        *,
        answer_s: float = _ANSWER_S,
        for_ever: bool = False,
    ) -> httpx.Response:
        headers = {"Content-Type": "application/json"}
        if lease_token is not None:
            headers["Coverslip-Lease-Token"] = lease_token
        carry_trace(headers)
        content = body.model_dump_json()
        timeout = httpx.Timeout(10, read=answer_s)
        now = asyncio.get_running_loop().time
        give_up_at = now() + self._patience_s
        delay_s = _RETRY_FROM_S
        while True:
            try:
                response = await self._client.post(path, content=content, headers=headers, timeout=timeout)
            except httpx.TransportError as error:
                reason = type(error).__name__
            else:
                if response.is_success:
                    return response
                if response.is_client_error and response.status_code not in _TRY_AGAIN:
                    raise _refusal(response)
                reason = f"it answered {response.status_code}"
            if delay_s == _RETRY_FROM_S:
                log.warning("the service is away (%s); trying %s again until it is back", reason, path)
            if now() > give_up_at and not for_ever:
                raise ServiceAway(patience_s=self._patience_s, reason=reason)
            # A service that comes back is not met by all its workers at the same instant.
            await asyncio.sleep(delay_s * random.uniform(0.5, 1))  # noqa: S311
            delay_s = min(delay_s * 2, _RETRY_TO_S)


def _read(model: type[Answer], response: httpx.Response) -> Answer:
    try:
        return model.model_validate_json(response.content)
    except ValidationError:
        # The error would quote the answer, and that holds tokens and signed URLs.
        detail = f"its answer is no {model.__name__}. Give the worker the version of the service."
        raise ServiceRefused(code=ServiceRefused.code, detail=detail) from None


def _seconds_until(instant: datetime, response: httpx.Response) -> float:
    """How long it is until ``instant`` by the clock of the service, never by ours; 0 if it does not tell the time."""
    date = response.headers.get("date")
    return (instant - parsedate_to_datetime(date)).total_seconds() if date else 0.0


def _refusal(response: httpx.Response) -> Exception:
    try:
        body = response.json()
    except ValueError:
        body = None
    problem: dict[str, Any] = body if isinstance(body, dict) else {}
    code = str(problem.get("code", f"HTTP.{response.status_code}"))
    if code == LeaseLost.code:
        return LeaseLost()
    detail = str(problem.get("detail", f"it answered {response.status_code}"))
    return ServiceRefused(code=code, detail=detail[:_DETAIL_CHARACTERS])
