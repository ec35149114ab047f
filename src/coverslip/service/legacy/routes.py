"""API v1.0.0 over HTTP, under ``/legacy/api``."""

from collections import defaultdict
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response, status
from fastapi.exceptions import RequestValidationError

from coverslip.contract.artifacts import ArtifactOutput
from coverslip.contract.items import ItemTerminationReason
from coverslip.contract.legacy import (
    ApplicationReadResponse,
    ApplicationVersionReadResponse,
    InputArtifactReadResponse,
    ItemResultReadResponse,
    ItemStatus,
    OutputArtifactReadResponse,
    OutputArtifactResultReadResponse,
    RunCreationRequest,
    RunCreationResponse,
    RunReadResponse,
)
from coverslip.contract.runs import RunTerminationReason
from coverslip.service.access.rules import own_runs, readable_runs
from coverslip.service.access.sharing_rules import RunParts
from coverslip.service.artifacts import queries as artifacts
from coverslip.service.artifacts.download import artifact_url
from coverslip.service.catalog import queries as catalog
from coverslip.service.catalog.errors import ApplicationNotFound
from coverslip.service.catalog.rules import newest_first
from coverslip.service.context import ContextDep
from coverslip.service.database.rows import AnyRow
from coverslip.service.identity.authentication import PrincipalDep
from coverslip.service.items import queries as items
from coverslip.service.legacy import mapping
from coverslip.service.paging import Page, sort_order
from coverslip.service.runs import commands, queries
from coverslip.service.runs.creation import create_run
from coverslip.service.runs.errors import RunNotFound

router = APIRouter(prefix="/v1", tags=["Public"])

PageNumber = Annotated[int, Query(ge=1)]
PageSize = Annotated[int, Query(ge=5, le=100)]
Sort = Annotated[list[str] | None, Query(description="Fields to sort by, each with `+` or `-` before it")]
Include = Annotated[
    list[Any] | None, Query(min_length=1, max_length=1, description="Accepted and ignored: for the platform's own use")
]


@router.get("/applications", operation_id="list_applications_v1_applications_get", summary="List applications")
async def list_applications(
    context: ContextDep, principal: PrincipalDep, page: PageNumber = 1, page_size: PageSize = 50, sort: Sort = None
) -> list[ApplicationReadResponse]:
    """The applications available to the caller."""
    order = sort_order(sort, catalog.APPLICATION_SORT)
    async with context.database.transaction(principal.scope) as connection:
        rows = await catalog.applications(connection, order=order, page=Page(page, page_size))
    return [
        ApplicationReadResponse(
            application_id=row.id,
            name=row.name,
            regulatory_classes=row.regulatory_classes,
            description=row.description,
        )
        for row in rows
    ]


@router.get(
    "/applications/{application_id}/versions",
    operation_id="list_versions_by_application_id_v1_applications__application_id__versions_get",
    summary="List the versions of an application",
    responses={404: {"description": "No such application"}},
)
async def list_versions(
    application_id: str,
    context: ContextDep,
    principal: PrincipalDep,
    page: PageNumber = 1,
    page_size: PageSize = 50,
    version: Annotated[str | None, Query(description="Only this version")] = None,
    include: Include = None,
    sort: Annotated[list[str] | None, Query(description="Accepted and ignored: the newest version is first")] = None,
) -> list[ApplicationVersionReadResponse]:
    """The versions of an application, newest first."""
    async with context.database.transaction(principal.scope) as connection:
        if await catalog.application_by_id(connection, application_id) is None:
            raise ApplicationNotFound
        numbers = newest_first(row.number for row in await catalog.versions(connection, [application_id]))
        wanted = [number for number in numbers if version in (None, number)]
        shown = wanted[(page - 1) * page_size :][:page_size]
        rows = [await catalog.version(connection, application_id, number) for number in shown]
    return [_version(row) for row in rows if row is not None]


def _version(row: AnyRow) -> ApplicationVersionReadResponse:
    inputs = [InputArtifactReadResponse.model_validate(declared) for declared in row.input_artifacts]
    return ApplicationVersionReadResponse(
        application_version_id=mapping.version_id(row.application_id, row.number),
        version=row.number,
        application_id=row.application_id,
        changelog=row.changelog,
        input_artifacts=[
            declared.model_copy(update={"metadata_schema": mapping.tolerant_schema(declared.metadata_schema)})
            for declared in inputs
        ],
        output_artifacts=[OutputArtifactReadResponse.model_validate(declared) for declared in row.output_artifacts],
        created_at=row.released_at,
    )


@router.get(
    "/runs",
    operation_id="list_application_runs_v1_runs_get",
    summary="List runs",
    responses={404: {"description": "Never from this server; pages beyond the last are empty"}},
)
async def list_runs(
    context: ContextDep,
    principal: PrincipalDep,
    application_id: str | None = None,
    application_version: str | None = None,
    include: Include = None,
    page: PageNumber = 1,
    page_size: PageSize = 50,
    sort: Sort = None,
) -> list[RunReadResponse]:
    """The caller's runs, newest first unless sorted otherwise."""
    narrow = queries.RunFilter(application_id=application_id, version_number=application_version)
    order = sort_order(mapping.sort_fields(sort, mapping.RUN_FIELDS), queries.RUN_SORT)
    async with context.database.transaction(principal.scope) as connection:
        rows = await queries.runs(connection, own_runs(principal), narrow, order=order, page=Page(page, page_size))
    return [_run(row) for row in rows]


@router.post(
    "/runs",
    operation_id="create_application_run_v1_runs_post",
    summary="Submit a run",
    status_code=status.HTTP_201_CREATED,
    responses={
        400: {"description": "The request breaks a rule of the application version"},
        402: {"description": "A quota would be exceeded"},
        404: {"description": "No such application, or no such version of it"},
    },
)
async def submit_run(request: RunCreationRequest, context: ContextDep, principal: PrincipalDep) -> RunCreationResponse:
    """Check a batch of slides against the application version, and queue it."""
    parsed = mapping.parse_version_id(request.application_version_id)
    if parsed is None:
        message = "must be an application and its version, such as test-app:v1.0.0"
        fault = {"loc": ("body", "application_version_id"), "msg": message, "type": "value_error"}
        raise RequestValidationError([fault])
    async with context.database.transaction(principal.scope) as connection:
        version = await catalog.version(connection, *parsed)
    declared = version.input_artifacts if version is not None else []
    schemas = {each["name"]: each["metadata_schema"] for each in declared}
    run_id = await create_run(context, principal, mapping.run_request(request, *parsed, schemas), None)
    return RunCreationResponse(application_run_id=run_id)


@router.get(
    "/runs/{application_run_id}",
    operation_id="get_run_v1_runs__application_run_id__get",
    summary="Read a run",
    responses={404: {"description": "No such run for you"}},
)
async def read_run(
    application_run_id: UUID, context: ContextDep, principal: PrincipalDep, include: Include = None
) -> RunReadResponse:
    """A run and its status."""
    async with context.database.transaction(principal.scope) as connection:
        row = await queries.run_by_id(connection, application_run_id, readable_runs(principal))
    if row is None:
        raise RunNotFound
    return _run(row)


def _run(row: AnyRow) -> RunReadResponse:
    return RunReadResponse(
        application_run_id=row.id,
        application_version_id=mapping.version_id(row.application_id, row.version_number),
        organization_id=row.organization_id,
        status=mapping.run_status(queries.status_of(row)),
        triggered_at=row.submitted_at,
        triggered_by=row.submitted_by,
    )


@router.post(
    "/runs/{application_run_id}/cancel",
    operation_id="cancel_application_run_v1_runs__application_run_id__cancel_post",
    summary="Cancel a run",
    status_code=status.HTTP_202_ACCEPTED,
    responses={
        403: {"description": "Not yours to cancel"},
        404: {"description": "No such run for you"},
        409: {"description": "The run has ended already"},
    },
)
async def cancel_run(application_run_id: UUID, context: ContextDep, principal: PrincipalDep) -> Any:
    """Cancel at once: what is finished stays, everything else is skipped."""
    await commands.cancel_run(context, principal, application_run_id)


@router.delete(
    "/runs/{application_run_id}/results",
    operation_id="delete_application_run_results_v1_runs__application_run_id__results_delete",
    summary="Delete the results of a run",
    status_code=status.HTTP_204_NO_CONTENT,
    response_class=Response,
    responses={
        403: {"description": "Not yours to delete"},
        404: {"description": "No such run for you"},
        409: {"description": "The run has not ended yet"},
        410: {"description": "The results were deleted before"},
    },
)
async def delete_results(application_run_id: UUID, context: ContextDep, principal: PrincipalDep) -> None:
    """Delete the output artifacts of a run that has ended."""
    await commands.delete_results(context, principal, application_run_id)


@router.get(
    "/runs/{application_run_id}/results",
    operation_id="list_run_results_v1_runs__application_run_id__results_get",
    summary="List the results of a run",
    responses={404: {"description": "No such run for you"}},
)
async def list_results(
    application_run_id: UUID,
    context: ContextDep,
    principal: PrincipalDep,
    item_id__in: Annotated[list[UUID] | None, Query(description="Only items with these ids")] = None,
    reference__in: Annotated[list[str] | None, Query(description="Only items with these references")] = None,
    status__in: Annotated[list[ItemStatus] | None, Query(description="Only items with these statuses")] = None,
    page: PageNumber = 1,
    page_size: PageSize = 50,
    sort: Sort = None,
) -> list[ItemResultReadResponse]:
    """The items of a run, in the order they were submitted unless sorted otherwise."""
    order = sort_order(mapping.sort_fields(sort, mapping.ITEM_FIELDS), items.ITEM_SORT)
    async with context.database.transaction(principal.scope) as connection:
        run = await queries.run_by_id(connection, application_run_id, readable_runs(principal))
        if run is None:
            raise RunNotFound
        run_ending = RunTerminationReason(run.termination_reason) if run.termination_reason else None
        endings = None if status__in is None else mapping.item_endings(status__in, run_ending)
        narrow = items.ItemFilter(item_id__in, reference__in, endings=endings)
        whole = RunParts(application_run_id)
        rows = await items.items(connection, whole, narrow, order=order, page=Page(page, page_size))
        outputs = defaultdict(list)
        for output in await artifacts.outputs_of(connection, [row.id for row in rows]):
            available = output.output == ArtifactOutput.AVAILABLE
            outputs[output.item_id].append(
                OutputArtifactResultReadResponse(
                    output_artifact_id=output.id,
                    name=output.name,
                    metadata=output.metadata or {},
                    download_url=artifact_url(context, output) if available else None,
                )
            )
    return [
        ItemResultReadResponse(
            item_id=row.id,
            application_run_id=application_run_id,
            reference=row.external_id,
            status=mapping.item_status(
                ItemTerminationReason(row.termination_reason) if row.termination_reason else None, run_ending
            ),
            error=row.error_message,
            output_artifacts=outputs[row.id],
        )
        for row in rows
    ]
