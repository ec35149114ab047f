"""Attempts over HTTP."""

from uuid import UUID

from fastapi import APIRouter

from coverslip.contract.attempts import AttemptReadResponse, StageDuration
from coverslip.service.access.reading import ReadingDep
from coverslip.service.access.rules import may_change_run
from coverslip.service.attempts import queries
from coverslip.service.context import ContextDep
from coverslip.service.database.rows import AnyRow
from coverslip.service.identity.authentication import PrincipalDep
from coverslip.service.items.errors import ItemNotFound

router = APIRouter(prefix="/runs/{run_id}/items/{item_id}/attempts", tags=["Runs"])


@router.get("", operation_id="list_attempts", responses={404: {"description": "No such item for you"}})
async def list_attempts(
    # `reading` has taken it; named here too, it comes first in the document, and so in generated clients.
    run_id: UUID,
    item_id: UUID,
    context: ContextDep,
    principal: PrincipalDep,
    reading: ReadingDep,
) -> list[AttemptReadResponse]:
    """What workers did with an item, the newest last: why each attempt ended, its stages, its memory and its log."""
    run = reading.run
    with_log = may_change_run(principal, organization_id=run.organization_id, submitted_by=run.submitted_by)
    async with context.database.transaction(reading.scope) as connection:
        if not await queries.has_item(connection, reading.parts, item_id):
            raise ItemNotFound
        rows = await queries.attempts_at(connection, reading.parts, item_id)
    return [_response(row, with_log=with_log) for row in rows]


def _response(row: AnyRow, *, with_log: bool) -> AttemptReadResponse:
    return AttemptReadResponse(
        number=row.number,
        worker_name=row.worker_name,
        started_at=row.started_at,
        ended_at=row.ended_at,
        duration_s=row.duration_s,
        outcome=row.outcome,
        exit_cause=row.exit_cause,
        ended_by=row.ended_by,
        error_code=row.error_code,
        error_message=row.error_message,
        stage=row.stage,
        stages=[StageDuration.model_validate(stage) for stage in row.stages],
        peak_memory_mb=row.peak_memory_mb,
        log=row.log or None if with_log else None,
    )
