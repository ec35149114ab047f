"""Items over HTTP."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.artifacts import (
    ArtifactOutput,
    InputArtifactResultReadResponse,
    OutputArtifactResultReadResponse,
)
from coverslip.contract.items import ItemResultReadResponse, ItemState, ItemTerminationReason
from coverslip.contract.metadata import CustomMetadataUpdateRequest, CustomMetadataUpdateResponse
from coverslip.service.access.principal import Principal
from coverslip.service.access.reading import ReadingDep
from coverslip.service.access.sharing_rules import RunParts
from coverslip.service.artifacts import queries as artifacts
from coverslip.service.artifacts.download import artifact_url
from coverslip.service.context import Context, ContextDep
from coverslip.service.database.rows import AnyRow
from coverslip.service.identity.authentication import PrincipalDep
from coverslip.service.items import queries
from coverslip.service.items.errors import ItemNotFound
from coverslip.service.paging import Page, SortOrder, sort_order
from coverslip.service.reuse.queries import result_from
from coverslip.service.runs import commands
from coverslip.service.runs.checksum import metadata_checksum
from coverslip.service.runs.entity_tags import entity_tag_headers
from coverslip.service.runs.errors import RunNotFound
from coverslip.service.runs.queue import place_in_queue
from coverslip.service.runs.routes import IfMatch, MetadataFilter, listing

# An external id may hold slashes, so it takes all of the path that is left.
router = APIRouter(prefix="/v1/runs/{run_id}/items", tags=["Public"])

_SORT_DESCRIPTION = (
    "Fields to sort by, each with `+` (ascending, the default) or `-` (descending) before it: "
    + ", ".join(f"`{field}`" for field in queries.ITEM_SORT)
)


@dataclass(frozen=True)
class _Found:
    """Items of a run with their artifacts."""

    items: Sequence[AnyRow]
    inputs: Sequence[AnyRow]
    outputs: Sequence[AnyRow]


async def _find(
    connection: AsyncConnection,
    parts: RunParts,
    narrow: queries.ItemFilter,
    page: Page,
    order: SortOrder | None = None,
) -> _Found:
    rows = await queries.items(connection, parts, narrow, order=order or [], page=page)
    ids = [row.id for row in rows]
    return _Found(rows, await artifacts.inputs_of(connection, ids), await artifacts.outputs_of(connection, ids))


async def _responses(
    context: Context, principal: Principal, run: AnyRow, found: _Found
) -> list[ItemResultReadResponse]:
    inputs: dict[UUID, list[InputArtifactResultReadResponse]] = defaultdict(list)
    outputs: dict[UUID, list[OutputArtifactResultReadResponse]] = defaultdict(list)
    is_submitter = principal.user_id == run.submitted_by
    for row in found.inputs:
        inputs[row.item_id].append(
            InputArtifactResultReadResponse(
                input_artifact_id=row.id,
                name=row.name,
                metadata=row.metadata,
                download_url=row.download_url if is_submitter else None,
            )
        )
    for row in found.outputs:
        available = row.output == ArtifactOutput.AVAILABLE
        outputs[row.item_id].append(
            OutputArtifactResultReadResponse(
                output_artifact_id=row.id,
                name=row.name,
                metadata=row.metadata,
                state=row.state,
                termination_reason=row.termination_reason,
                output=row.output,
                error_code=row.error_code,
                error_message=row.error_message,
                download_url=artifact_url(context, row) if available else None,
            )
        )
    ranks = [row.waiting_rank for row in found.items if row.waiting_rank]
    place = await place_in_queue(context, run, ranks) if ranks else None
    return [
        ItemResultReadResponse(
            item_id=row.id,
            external_id=row.external_id,
            custom_metadata=row.shown_metadata,
            custom_metadata_checksum=metadata_checksum(row.custom_metadata),
            queue_position_org=place.of_organization(row.waiting_rank) if place and row.waiting_rank else None,
            queue_position_platform=place.of_platform(row.waiting_rank) if place and row.waiting_rank else None,
            state=row.state,
            output=queries.status_of(row).output,
            termination_reason=row.termination_reason,
            error_code=row.error_code,
            error_message=row.error_message,
            terminated_at=row.terminated_at,
            input_artifacts=inputs[row.id],
            output_artifacts=outputs[row.id],
        )
        for row in found.items
    ]


@router.get(
    "",
    operation_id="list_run_items_v1_runs__run_id__items_get",
    summary="List the items of a run",
    responses={404: {"description": "No such run for you"}},
)
async def list_items(
    context: ContextDep,
    principal: PrincipalDep,
    reading: ReadingDep,
    item_id__in: Annotated[list[UUID] | None, Query(description="Only items with these ids")] = None,
    external_id__in: Annotated[list[str] | None, Query(description="Only items with these external ids")] = None,
    state: Annotated[ItemState | None, Query(description="Only items in this state")] = None,
    termination_reason: Annotated[
        ItemTerminationReason | None, Query(description="Only items that ended this way")
    ] = None,
    custom_metadata: MetadataFilter = None,
    page: Annotated[int, Query(ge=1)] = 1,
    page_size: Annotated[int, Query(ge=5, le=100)] = 50,
    sort: Annotated[list[str] | None, Query(description=_SORT_DESCRIPTION)] = None,
) -> list[ItemResultReadResponse]:
    """The items of a run with their artifacts, in the order they were submitted unless sorted otherwise."""
    narrow = queries.ItemFilter(item_id__in, external_id__in, state, termination_reason, custom_metadata)
    order = sort_order(sort, queries.ITEM_SORT)
    if not reading.parts.has_items:
        raise RunNotFound
    async with listing(context, reading.scope, custom_metadata) as connection:
        found = await _find(connection, reading.parts, narrow, Page(page, page_size), order)
    return await _responses(context, principal, reading.run, found)


@router.put(
    "/{external_id:path}/custom-metadata",
    operation_id="put_item_custom_metadata_by_run_v1_runs__run_id__items__external_id__custom_metadata_put",
    summary="Replace the custom metadata of an item",
    response_description="Replaced",
    responses={
        403: {"description": "Not yours to change"},
        404: {"description": "No such item for you"},
        412: {"description": "It has changed since you read it"},
    },
)
async def replace_metadata(
    run_id: UUID,
    external_id: str,
    request: CustomMetadataUpdateRequest,
    context: ContextDep,
    principal: PrincipalDep,
    response: Response,
    if_match: IfMatch = None,
) -> CustomMetadataUpdateResponse:
    """Replace the free JSON of an item, if it is still what the caller has read."""
    checksum = await commands.replace_metadata(
        context, principal, run_id, request.custom_metadata, request.custom_metadata_checksum, if_match, external_id
    )
    response.headers.update(entity_tag_headers(checksum))
    return CustomMetadataUpdateResponse(custom_metadata_checksum=checksum)


@router.get(
    "/{external_id:path}",
    operation_id="get_item_by_run_v1_runs__run_id__items__external_id__get",
    summary="Read an item",
    responses={403: {"description": "Not yours to see"}, 404: {"description": "No such item for you"}},
)
async def read_item(
    # `reading` has taken it; named here too, it comes first in the document, and so in generated clients.
    run_id: UUID,
    external_id: str,
    context: ContextDep,
    principal: PrincipalDep,
    reading: ReadingDep,
    response: Response,
) -> ItemResultReadResponse:
    """One item with its artifacts. If they are those of an earlier item, `Coverslip-Result-From` says of when."""
    narrow = queries.ItemFilter(external_ids=[external_id])
    async with context.database.transaction(reading.scope) as connection:
        found = await _find(connection, reading.parts, narrow, Page(1, 1))
        reused = await result_from(connection, found.items[0].id) if found.items else None
    for item in await _responses(context, principal, reading.run, found):
        response.headers.update(entity_tag_headers(item.custom_metadata_checksum))
        if reused is not None:
            response.headers["Coverslip-Result-From"] = reused.isoformat()
        return item
    raise ItemNotFound
