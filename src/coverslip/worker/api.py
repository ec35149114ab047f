"""The worker API as a client sees it."""

import asyncio
import random
from typing import Any
from uuid import UUID

import httpx
from pydantic import BaseModel

from coverslip.contract.worker import (
    ArtifactPublishRequest,
    ArtifactUploadRequest,
    ArtifactUploadResponse,
    HeartbeatRequest,
    HeartbeatResponse,
    Lease,
    LeaseRequest,
    ReportRequest,
)
from coverslip.worker.errors import LeaseLost, ServiceRefused

_PROBLEM = "application/problem+json, application/json"
_RETRY_FROM_S = 0.2
_RETRY_TO_S = 10.0


class WorkerApi:
    """Requests of one worker. Every one is repeated while the service is away or says it is at fault.

    Parameters
    ----------
    api_root
        Address of the service.
    token
        The worker's token.
    """

    def __init__(self, api_root: str, token: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=f"{api_root}/api/worker/v1",
            headers={"Authorization": f"Bearer {token}", "Accept": _PROBLEM},
            timeout=httpx.Timeout(10, read=60),
            trust_env=False,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def lease(self, request: LeaseRequest) -> Lease | None:
        """The next item, None if there is nothing to do now."""
        # Repeating a lease whose answer was lost leaves an item leased to nobody; its lease expires.
        response = await self._post("/leases", request)
        return None if response.status_code == httpx.codes.NO_CONTENT else Lease.model_validate_json(response.content)

    async def heartbeat(self, item_id: UUID, token: str, request: HeartbeatRequest) -> HeartbeatResponse:
        """Keep a lease alive."""
        response = await self._post(f"/leases/{item_id}/heartbeat", request, token)
        return HeartbeatResponse.model_validate_json(response.content)

    async def sign_artifact(self, item_id: UUID, token: str, request: ArtifactUploadRequest) -> str | None:
        """Where to upload an artifact; None if it is published already."""
        response = await self._post(f"/leases/{item_id}/artifacts/sign", request, token)
        return ArtifactUploadResponse.model_validate_json(response.content).upload_url

    async def publish_artifact(self, item_id: UUID, token: str, request: ArtifactPublishRequest) -> None:
        """Make an uploaded artifact available."""
        await self._post(f"/leases/{item_id}/artifacts/publish", request, token)

    async def report(self, item_id: UUID, token: str, request: ReportRequest) -> None:
        """Say how the attempt ended."""
        await self._post(f"/leases/{item_id}/report", request, token)

    async def _post(self, path: str, body: BaseModel, lease_token: str | None = None) -> httpx.Response:
        headers = {"Content-Type": "application/json"}
        if lease_token is not None:
            headers["Coverslip-Lease-Token"] = lease_token
        delay_s = _RETRY_FROM_S
        while True:
            try:
                response = await self._client.post(path, content=body.model_dump_json(), headers=headers)
            except httpx.TransportError:
                pass
            else:
                if response.is_success:
                    return response
                if response.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                    raise _refusal(response)
            # A service that comes back is not met by all its workers at the same instant.
            await asyncio.sleep(delay_s * random.uniform(0.5, 1))  # noqa: S311
            delay_s = min(delay_s * 2, _RETRY_TO_S)


def _refusal(response: httpx.Response) -> Exception:
    try:
        problem: dict[str, Any] = response.json()
    except ValueError:
        problem = {}
    code = str(problem.get("code", f"HTTP.{response.status_code}"))
    if code == LeaseLost.code:
        return LeaseLost()
    return ServiceRefused(code=code, detail=str(problem.get("detail", "")), status=response.status_code)
