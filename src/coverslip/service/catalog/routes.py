"""Applications and versions over HTTP."""

from collections import defaultdict
from typing import Annotated

from fastapi import APIRouter, Path, Query

from coverslip.contract.applications import (
    ApplicationReadResponse,
    ApplicationReadShortResponse,
    ApplicationVersion,
    VersionReadResponse,
)
from coverslip.contract.fields import SEMVER_PATTERN
from coverslip.service.access.principal import Principal
from coverslip.service.catalog import queries
from coverslip.service.catalog.errors import ApplicationNotFound, VersionNotFound
from coverslip.service.catalog.rules import newest_first
from coverslip.service.context import Context, ContextDep
from coverslip.service.identity.authentication import PrincipalDep
from coverslip.service.paging import Page, sort_order

router = APIRouter(prefix="/v1/applications", tags=["Public"])

_SORT_DESCRIPTION = (
    "Fields to sort by, each with `+` (ascending, the default) or `-` (descending) before it: "
    + ", ".join(f"`{field}`" for field in queries.APPLICATION_SORT)
)


async def _versions(
    context: Context, principal: Principal, application_ids: list[str]
) -> dict[str, list[ApplicationVersion]]:
    """Every version of the applications, newest first."""
    async with context.database.transaction(principal.scope) as connection:
        rows = await queries.versions(connection, application_ids)
    found: dict[str, dict[str, ApplicationVersion]] = defaultdict(dict)
    for row in rows:
        found[row.application_id][row.number] = ApplicationVersion(number=row.number, released_at=row.released_at)
    return {id_: [versions[number] for number in newest_first(versions)] for id_, versions in found.items()}


@router.get(
    "",
    operation_id="list_applications_v1_applications_get",
    summary="List available applications",
    response_description="The applications available to the caller",
)
async def list_applications(
    context: ContextDep,
    principal: PrincipalDep,
    page: Annotated[int, Query(ge=1)] = 1,
    page_size: Annotated[int, Query(alias="page-size", ge=5, le=100)] = 50,
    sort: Annotated[list[str] | None, Query(description=_SORT_DESCRIPTION)] = None,
) -> list[ApplicationReadShortResponse]:
    """The applications available to the caller, with the latest version of each."""
    order = sort_order(sort, queries.APPLICATION_SORT)
    async with context.database.transaction(principal.scope) as connection:
        rows = await queries.applications(connection, order=order, page=Page(page, page_size))
    versions = await _versions(context, principal, [row.id for row in rows])
    return [
        ApplicationReadShortResponse(
            application_id=row.id,
            name=row.name,
            regulatory_classes=row.regulatory_classes,
            description=row.description,
            latest_version=next(iter(versions.get(row.id, [])), None),
        )
        for row in rows
    ]


@router.get(
    "/{application_id}",
    operation_id="read_application_by_id_v1_applications__application_id__get",
    summary="Read an application",
    responses={403: {"description": "Not yours to see"}, 404: {"description": "No such application"}},
)
async def read_application(
    application_id: str, context: ContextDep, principal: PrincipalDep
) -> ApplicationReadResponse:
    """An application with all its versions, newest first."""
    async with context.database.transaction(principal.scope) as connection:
        row = await queries.application_by_id(connection, application_id)
    if row is None:
        raise ApplicationNotFound
    versions = await _versions(context, principal, [application_id])
    return ApplicationReadResponse(
        application_id=row.id,
        name=row.name,
        regulatory_classes=row.regulatory_classes,
        description=row.description,
        versions=versions.get(application_id, []),
    )


@router.get(
    "/{application_id}/versions/{version}",
    operation_id="application_version_details_v1_applications__application_id__versions__version__get",
    summary="Read a version of an application",
    responses={403: {"description": "Not yours to see"}, 404: {"description": "No such version for you"}},
)
async def read_version(
    application_id: str,
    version: Annotated[str, Path(pattern=SEMVER_PATTERN)],
    context: ContextDep,
    principal: PrincipalDep,
) -> VersionReadResponse:
    """What a version takes and gives, with the JSON Schema of every artifact's metadata."""
    async with context.database.transaction(principal.scope) as connection:
        row = await queries.version(connection, application_id, version)
    if row is None:
        raise VersionNotFound
    return VersionReadResponse(
        version_number=row.number,
        changelog=row.changelog,
        input_artifacts=row.input_artifacts,
        output_artifacts=row.output_artifacts,
        released_at=row.released_at,
    )
