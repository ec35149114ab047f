"""The numbers over HTTP, in Prometheus' text format."""

import secrets
from http import HTTPStatus
from typing import ClassVar

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request

from coverslip.service.context import Context, ContextDep
from coverslip.service.database.scope import PlatformScope
from coverslip.service.errors import ServiceError
from coverslip.service.metrics import queries

router = APIRouter()


class MetricsRefused(ServiceError):
    """Metrics are for the operator of the platform: send the token of COVERSLIP_METRICS_TOKEN_FILE."""

    code = "METRICS.REFUSED"
    status = HTTPStatus.UNAUTHORIZED
    remedy = "Send 'Authorization: Bearer …' with that token; `coverslip up` keeps it in secrets/metrics-token."
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": "Bearer"}


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request, context: ContextDep) -> Response:
    """What this process counted, and the state of the queue, which is the same in all."""
    _require_operator(request, context)
    async with context.database.transaction(PlatformScope()) as connection:
        queue = await queries.queue(connection)
        leases = await queries.leases(connection, context.settings.lease_s)
    told = context.metrics
    told.items.labels("PENDING").set(queue.items_pending)
    told.items.labels("PROCESSING").set(queue.items_processing)
    told.runs.labels("PENDING").set(queue.runs_pending)
    told.runs.labels("PROCESSING").set(queue.runs_processing)
    told.organizations.set(queue.organizations)
    told.oldest_item.set(queue.oldest_s)
    told.leases.set(leases.held)
    told.oldest_lease.set(leases.oldest_s)
    told.silent_lease.set(leases.silent_s)
    return Response(generate_latest(told.registry), media_type=CONTENT_TYPE_LATEST)


def _require_operator(request: Request, context: Context) -> None:
    file = context.settings.metrics_token_file
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if file is None or scheme.lower() != "bearer":
        raise MetricsRefused
    # Read each time: it may be replaced while the service runs.
    if not secrets.compare_digest(token.strip().encode(), file.read_bytes().strip()):
        raise MetricsRefused
