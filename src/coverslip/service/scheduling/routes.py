"""The worker API: leases, heartbeats, artifacts, reports."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Response, status
from starlette.requests import Request

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
from coverslip.service.context import ContextDep
from coverslip.service.database.scope import PlatformScope
from coverslip.service.identity.secrets import hash_secret
from coverslip.service.reuse import commands as reuse
from coverslip.service.scheduling import claiming, ending, holding, publishing
from coverslip.service.scheduling.errors import WorkerUnknown
from coverslip.service.scheduling.lease_queries import worker_by_token

router = APIRouter(prefix="/leases", tags=["Worker"])


async def current_worker(request: Request, context: ContextDep) -> UUID:
    """The worker whose token the request carries.

    Raises
    ------
    WorkerUnknown
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        async with context.database.transaction(PlatformScope()) as connection:
            worker_id = await worker_by_token(connection, hash_secret(token.strip()))
        if worker_id is not None:
            return worker_id
    raise WorkerUnknown


WorkerDep = Annotated[UUID, Depends(current_worker)]
LeaseToken = Annotated[str, Header(alias="Coverslip-Lease-Token")]


@router.post("", operation_id="lease_item", responses={204: {"description": "Nothing to do now"}})
async def lease_item(
    wanted: LeaseRequest, request: Request, context: ContextDep, worker: WorkerDep, response: Response
) -> Lease | None:
    """Lease the next item, or wait a while for one."""
    lease = await claiming.wait_for_lease(context, worker, wanted, request.is_disconnected)
    if lease is None:
        response.status_code = status.HTTP_204_NO_CONTENT
    return lease


@router.post("/{item_id}/heartbeat", operation_id="send_heartbeat")
async def send_heartbeat(
    item_id: UUID, request: HeartbeatRequest, context: ContextDep, worker: WorkerDep, token: LeaseToken
) -> HeartbeatResponse:
    """Keep a lease alive; 409 means that it is lost, because the run was cancelled or the lease expired."""
    expires_at = await holding.heartbeat(context, worker, item_id, token, request)
    return HeartbeatResponse(expires_at=expires_at)


@router.post("/{item_id}/reuse", operation_id="reuse_result")
async def reuse_result(
    item_id: UUID, request: ReuseRequest, context: ContextDep, worker: WorkerDep, token: LeaseToken
) -> ReuseResponse:
    """Take over the artifacts of an earlier item with the same inputs, version and metadata, if there is one."""
    return ReuseResponse(reused=await reuse.reuse_result(context, worker, item_id, token, request))


@router.post("/{item_id}/artifacts/sign", operation_id="sign_artifact")
async def sign_artifact(
    item_id: UUID, request: ArtifactUploadRequest, context: ContextDep, worker: WorkerDep, token: LeaseToken
) -> ArtifactUploadResponse:
    """Where to upload an output artifact."""
    return ArtifactUploadResponse(upload_url=await publishing.sign_artifact(context, worker, item_id, token, request))


@router.post("/{item_id}/artifacts/publish", operation_id="publish_artifact", status_code=204)
async def publish_artifact(
    item_id: UUID, request: ArtifactPublishRequest, context: ContextDep, worker: WorkerDep, token: LeaseToken
) -> None:
    """Make an uploaded artifact available to whoever may read the run."""
    await publishing.publish_artifact(context, worker, item_id, token, request)


@router.post("/{item_id}/report", operation_id="report_attempt", status_code=204)
async def report_attempt(
    item_id: UUID, request: ReportRequest, context: ContextDep, worker: WorkerDep, token: LeaseToken
) -> None:
    """Say how the attempt ended; this gives up the lease."""
    await ending.report(context, worker, item_id, token, request)
