"""Grants over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, status

from coverslip.contract.access import GrantCreateRequest, GrantReadResponse, GrantRelation, ResourceType, SubjectType
from coverslip.service.access import grant_commands as commands
from coverslip.service.access import grant_queries as queries
from coverslip.service.access.rules import readable_runs
from coverslip.service.context import ContextDep
from coverslip.service.database.rows import AnyRow
from coverslip.service.identity.authentication import PrincipalDep
from coverslip.service.paging import Page, sort_order

router = APIRouter(prefix="/v1/access/grants", tags=["Public"])

GrantId = Annotated[UUID, Path(description="Grant ID")]

_SORT_DESCRIPTION = (
    "Fields to sort by, each with `+` (ascending, the default) or `-` (descending) before it: "
    + ", ".join(f"`{field}`" for field in queries.GRANT_SORT)
)


def _response(row: AnyRow) -> GrantReadResponse:
    return GrantReadResponse(
        grant_id=row.id,
        resource_type=row.resource_type,
        resource_id=row.resource_id,
        subject_type=row.subject_type,
        subject_id=row.subject_id,
        relation=row.relation,
        created_by=row.created_by,
        created_at=row.created_at,
        revoked=row.revoked_at is not None,
    )


@router.post(
    "",
    operation_id="create_grant_v1_access_grants_post",
    summary="Share something",
    status_code=status.HTTP_201_CREATED,
    responses={
        403: {"description": "Not yours to share"},
        404: {"description": "No such resource for you, or nobody of that name whom you could address"},
        422: {"description": "Not a viewer grant, or a subject that is not named as it must be"},
    },
)
async def create_grant(request: GrantCreateRequest, context: ContextDep, principal: PrincipalDep) -> GrantReadResponse:
    """Let a user, an organization or the holders of a share token read a run, an item, an output artifact or a token.

    The same grant asked for again is the one that is in force, so that a request can be repeated.
    """
    return _response(await commands.create_grant(context, principal, request))


@router.get("", operation_id="list_grants_v1_access_grants_get", summary="List grants")
async def list_grants(
    context: ContextDep,
    principal: PrincipalDep,
    resource_type: Annotated[ResourceType | None, Query(description="Only grants on such things")] = None,
    resource_id: Annotated[UUID | None, Query(description="Only grants on this")] = None,
    subject_type: Annotated[SubjectType | None, Query(description="Only grants to such subjects")] = None,
    subject_id: Annotated[str | None, Query(description="Only grants to this subject")] = None,
    relation: Annotated[list[GrantRelation] | None, Query(description="Only grants of these relations")] = None,
    revoked: Annotated[bool | None, Query(description="Only grants that are revoked, or only those in force")] = None,
    page: Annotated[int, Query(ge=1)] = 1,
    page_size: Annotated[int, Query(ge=5, le=100)] = 50,
    sort: Annotated[list[str] | None, Query(description=_SORT_DESCRIPTION)] = None,
) -> list[GrantReadResponse]:
    """The grants that the caller gave, and those on what they may change, newest first unless sorted otherwise."""
    narrow = queries.GrantFilter(resource_type, resource_id, subject_type, subject_id, relation, revoked)
    order = sort_order(sort, queries.GRANT_SORT)
    async with context.database.transaction(principal.scope) as connection:
        rows = await queries.grants(
            connection, readable_runs(principal), narrow, order=order, page=Page(page, page_size)
        )
    return [_response(row) for row in rows]


@router.get(
    "/{grant_id}",
    operation_id="get_grant_v1_access_grants__grant_id__get",
    summary="Read a grant",
    responses={403: {"description": "Not yours to see"}, 404: {"description": "No such grant for you"}},
)
async def read_grant(grant_id: GrantId, context: ContextDep, principal: PrincipalDep) -> GrantReadResponse:
    """One grant."""
    return _response(await commands.find_grant(context, principal, grant_id))


@router.delete(
    "/{grant_id}",
    operation_id="revoke_grant_v1_access_grants__grant_id__delete",
    summary="Revoke a grant",
    response_description="Revoked",
    responses={
        403: {"description": "Not yours to revoke"},
        404: {"description": "No such grant for you"},
        409: {"description": "It was revoked before"},
    },
)
async def revoke_grant(grant_id: GrantId, context: ContextDep, principal: PrincipalDep) -> GrantReadResponse:
    """End a grant at once. URLs that were given out before go on for as long as they are valid."""
    return _response(await commands.revoke_grant(context, principal, grant_id))
