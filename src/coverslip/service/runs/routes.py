"""Runs over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response, status
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.fields import StorableText
from coverslip.contract.metadata import CustomMetadataUpdateRequest, CustomMetadataUpdateResponse
from coverslip.contract.progress import ItemProgress
from coverslip.contract.runs import (
    RunCreationRequest,
    RunCreationResponse,
    RunItemStatistics,
    RunReadResponse,
    RunValidationResponse,
    SchedulingResponse,
)
from coverslip.service.access.reading import ReadingDep
from coverslip.service.access.rules import own_runs, runs_of_organization
from coverslip.service.context import Context, ContextDep
from coverslip.service.database.rows import AnyRow
from coverslip.service.database.scope import Scope
from coverslip.service.errors import Forbidden
from coverslip.service.identity.authentication import PrincipalDep
from coverslip.service.lifecycle import State
from coverslip.service.paging import Page, sort_order
from coverslip.service.runs import commands, queries
from coverslip.service.runs.checksum import metadata_checksum
from coverslip.service.runs.creation import create_run, validate_run
from coverslip.service.runs.entity_tags import entity_tag_headers
from coverslip.service.runs.errors import FilterRefused, FilterTooSlow, RunNotFound
from coverslip.service.runs.queue import place_in_queue
from coverslip.service.scheduling.lease_queries import progress_of_run
from coverslip.service.scheduling.position_rules import Place

router = APIRouter(prefix="/v1/runs", tags=["Public"])
extension_router = APIRouter(prefix="/runs", tags=["Runs"])

MetadataFilter = Annotated[
    str | None,
    Query(
        max_length=1000,
        description=(
            "PostgreSQL jsonpath that must match the custom metadata (operator `@?`, lax mode), URL-encoded. "
            'Examples: `$.study`, `$.study ? (@ == "abc-1")`, `$.score ? (@ > 0.75)`, '
            '`$.tags[*] ? (@ == "draft")`, `$.note ? (@ like_regex "urgent" flag "i")`.'
        ),
    ),
]

IfMatch = Annotated[
    str | None,
    Header(max_length=1000, description="The `ETag` of what you read; a checksum in the body does the same"),
]

_SORT_DESCRIPTION = (
    "Fields to sort by, each with `+` (ascending, the default) or `-` (descending) before it: "
    + ", ".join(f"`{field}`" for field in queries.RUN_SORT)
)

# PostgreSQL's SQLSTATE when statement_timeout stopped a query.
_QUERY_CANCELED = "57014"

# Classes of SQLSTATE that only the filter's text can cause in a list: a feature that PostgreSQL's jsonpath lacks, data
# exceptions, syntax errors, too complex an expression.
_CAUSED_BY_FILTER = ("0A", "22", "42", "54")


@asynccontextmanager
async def listing(context: Context, scope: Scope, metadata_filter: str | None) -> AsyncIterator[AsyncConnection]:
    """A transaction for a list: with a metadata filter, which users write, one that can neither write nor hang.

    Raises
    ------
    FilterRefused, FilterTooSlow
    """
    if metadata_filter is None:
        async with context.database.transaction(scope) as connection:
            yield connection
        return
    timeout_ms = context.settings.filter_timeout_ms
    try:
        async with context.database.filtering(scope, timeout_ms) as connection:
            yield connection
    except DBAPIError as error:
        sqlstate = getattr(error.orig, "sqlstate", None) or ""
        if sqlstate == _QUERY_CANCELED:
            raise FilterTooSlow(timeout_ms=timeout_ms) from None
        if sqlstate[:2] in _CAUSED_BY_FILTER:
            raise FilterRefused(reason=str(error.orig).splitlines()[0]) from None
        raise


def _response(row: AnyRow, place: Place | None = None) -> RunReadResponse:
    current = queries.status_of(row)
    statistics = current.statistics
    scheduling = None
    if row.due_date is not None or row.deadline is not None:
        scheduling = SchedulingResponse(due_date=row.due_date, deadline=row.deadline)
    return RunReadResponse(
        run_id=row.id,
        application_id=row.application_id,
        version_number=row.version_number,
        state=row.state,
        output=current.output,
        termination_reason=row.termination_reason,
        error_code=row.error_code,
        error_message=row.error_message,
        statistics=RunItemStatistics(
            item_count=statistics.total,
            item_pending_count=statistics.pending,
            item_processing_count=statistics.processing,
            item_user_error_count=statistics.user_error,
            item_system_error_count=statistics.system_error,
            item_skipped_count=statistics.skipped,
            item_succeeded_count=statistics.succeeded,
        ),
        custom_metadata=row.custom_metadata,
        custom_metadata_checksum=metadata_checksum(row.custom_metadata),
        submitted_at=row.submitted_at,
        submitted_by=row.submitted_by,
        organization_id=row.organization_id,
        terminated_at=row.terminated_at,
        num_preceding_items_org=place.of_organization(1) - 1 if place else None,
        num_preceding_items_platform=place.of_platform(1) - 1 if place else None,
        scheduling=scheduling,
    )


@router.get(
    "",
    operation_id="list_runs_v1_runs_get",
    summary="List runs",
    responses={403: {"description": "Not yours to list"}, 404: {"description": "Run not found"}},
)
async def list_runs(
    context: ContextDep,
    principal: PrincipalDep,
    application_id: Annotated[str | None, Query(description="Only runs of this application")] = None,
    application_version: Annotated[str | None, Query(description="Only runs of this version")] = None,
    external_id: Annotated[str | None, Query(description="Only runs with an item of this external id")] = None,
    custom_metadata: MetadataFilter = None,
    page: Annotated[int, Query(ge=1)] = 1,
    page_size: Annotated[int, Query(ge=5, le=100)] = 50,
    submitted_by: Annotated[str | None, Query(description="Only runs of this user; `me` is the caller")] = None,
    organization_id: Annotated[
        str | None, Query(description="Only runs of this organization; `my_org` is the caller's")
    ] = None,
    for_organization: Annotated[
        str | None,
        Query(description="All runs of this organization, for its administrators, instead of the caller's own"),
    ] = None,
    sort: Annotated[list[str] | None, Query(description=_SORT_DESCRIPTION)] = None,
) -> list[RunReadResponse]:
    """The caller's runs, or all of an organization, newest first unless sorted otherwise."""
    scope = own_runs(principal) if for_organization is None else runs_of_organization(principal, for_organization)
    if scope is None:
        raise Forbidden(needed="being an administrator to list the runs of an organization")
    narrow = queries.RunFilter(
        application_id=application_id,
        version_number=application_version,
        external_id=external_id,
        custom_metadata=custom_metadata,
        submitted_by=principal.user_id if submitted_by == "me" else submitted_by,
        organization_id=principal.organization_id if organization_id == "my_org" else organization_id,
    )
    order = sort_order(sort, queries.RUN_SORT)
    async with listing(context, principal.scope, custom_metadata) as connection:
        rows = await queries.runs(connection, scope, narrow, order=order, page=Page(page, page_size))
    return [_response(row) for row in rows]


@router.post(
    "",
    operation_id="create_run_v1_runs_post",
    summary="Submit a run",
    status_code=status.HTTP_201_CREATED,
    response_model=RunCreationResponse,
    responses={
        # Not as 200: generators take the lowest status for what the operation returns.
        "2XX": {
            "description": "200: the request is valid; with `validate_only` nothing was created",
            "content": {"application/json": {"schema": RunValidationResponse.model_json_schema(mode="serialization")}},
        },
        400: {"description": "The request breaks a rule of the application version or of scheduling"},
        402: {"description": "A quota would be exceeded"},
        403: {"description": "Not yours to create"},
        404: {"description": "No such application, or no such version of it"},
    },
)
async def submit_run(
    request: RunCreationRequest,
    context: ContextDep,
    principal: PrincipalDep,
    idempotency_key: Annotated[
        StorableText | None,
        Header(
            max_length=255,
            description="Any text of your own; the same request sent again with it returns the same run",
        ),
    ] = None,
    validate_only: Annotated[bool, Query(description="Check everything as at submission, and create nothing")] = False,
    reuse_results: Annotated[
        bool,
        Query(
            description="Give slides that this version has processed before, with the same metadata and for the same "
            "organization, the results of then; `false` processes all anew"
        ),
    ] = True,
) -> Any:
    """Check a batch of slides against the application version, and queue it."""
    if validate_only:
        validation = await validate_run(context, principal, request)
        return JSONResponse(validation.model_dump(mode="json"))
    run_id = await create_run(context, principal, request, idempotency_key, reuse_results=reuse_results)
    return RunCreationResponse(run_id=run_id)


@router.get(
    "/{run_id}",
    operation_id="get_run_v1_runs__run_id__get",
    summary="Read a run",
    responses={403: {"description": "Not yours to see"}, 404: {"description": "No such run for you"}},
)
async def read_run(context: ContextDep, reading: ReadingDep, response: Response) -> RunReadResponse:
    """A run with its statistics, and how many items are processed before its next one."""
    if not reading.parts.whole:
        raise RunNotFound
    row = reading.run
    found = _response(row, await place_in_queue(context, row) if row.state != State.TERMINATED else None)
    response.headers.update(entity_tag_headers(found.custom_metadata_checksum))
    return found


@router.post(
    "/{run_id}/cancel",
    operation_id="cancel_run_v1_runs__run_id__cancel_post",
    summary="Cancel a run",
    status_code=status.HTTP_202_ACCEPTED,
    responses={
        403: {"description": "Not yours to cancel"},
        404: {"description": "No such run for you"},
        409: {"description": "The run has ended already"},
    },
)
async def cancel_run(run_id: UUID, context: ContextDep, principal: PrincipalDep) -> Any:
    """Cancel at once: what is finished stays, everything else is skipped."""
    await commands.cancel_run(context, principal, run_id)
    return {"run_id": str(run_id)}


@router.delete(
    "/{run_id}/artifacts",
    operation_id="delete_run_items_v1_runs__run_id__artifacts_delete",
    summary="Delete the results of a run",
    response_description="The results are deleted",
    responses={
        403: {"description": "Not yours to delete"},
        404: {"description": "No such run for you"},
        409: {"description": "The run has not ended yet"},
        410: {"description": "The results were deleted before"},
    },
)
async def delete_results(run_id: UUID, context: ContextDep, principal: PrincipalDep) -> Any:
    """Delete the output artifacts of a run that has ended. The run itself stays."""
    await commands.delete_results(context, principal, run_id)
    return {"run_id": str(run_id)}


@router.put(
    "/{run_id}/custom-metadata",
    operation_id="put_run_custom_metadata_v1_runs__run_id__custom_metadata_put",
    summary="Replace the custom metadata of a run",
    response_description="Replaced",
    responses={
        403: {"description": "Not yours to change"},
        404: {"description": "No such run for you"},
        412: {"description": "It has changed since you read it"},
    },
)
async def replace_metadata(
    run_id: UUID,
    request: CustomMetadataUpdateRequest,
    context: ContextDep,
    principal: PrincipalDep,
    response: Response,
    if_match: IfMatch = None,
) -> CustomMetadataUpdateResponse:
    """Replace the free JSON of a run, if it is still what the caller has read."""
    checksum = await commands.replace_metadata(
        context, principal, run_id, request.custom_metadata, request.custom_metadata_checksum, if_match
    )
    response.headers.update(entity_tag_headers(checksum))
    return CustomMetadataUpdateResponse(custom_metadata_checksum=checksum)


@extension_router.get(
    "/{run_id}/progress", operation_id="read_progress", responses={404: {"description": "No such run for you"}}
)
async def read_progress(context: ContextDep, reading: ReadingDep, response: Response) -> list[ItemProgress]:
    """What workers are doing with the items of a run right now."""
    if not reading.parts.has_items:
        raise RunNotFound
    async with context.database.transaction(reading.scope) as connection:
        rows = await progress_of_run(connection, reading.parts)
    response.headers["Cache-Control"] = "no-store"
    return [
        ItemProgress(
            item_id=row.item_id,
            external_id=row.external_id,
            attempt=row.number,
            stage=row.stage,
            fraction=row.fraction,
        )
        for row in rows
    ]
