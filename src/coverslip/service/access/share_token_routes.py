"""Share tokens over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, status

from coverslip.contract.access import ShareTokenCreateRequest, ShareTokenCreateResponse, ShareTokenReadResponse
from coverslip.service.access import share_token_commands as commands
from coverslip.service.access import share_token_queries as queries
from coverslip.service.access.principal import Role
from coverslip.service.access.rules import AllRuns, own_runs
from coverslip.service.context import ContextDep
from coverslip.service.database.rows import AnyRow
from coverslip.service.identity.authentication import PrincipalDep
from coverslip.service.paging import Page, sort_order

router = APIRouter(prefix="/v1/access/share-tokens", tags=["Public"])

ShareTokenId = Annotated[UUID, Path(description="Share token ID")]

_SORT_DESCRIPTION = (
    "Fields to sort by, each with `+` (ascending, the default) or `-` (descending) before it: "
    + ", ".join(f"`{field}`" for field in queries.SHARE_TOKEN_SORT)
)


def _response(row: AnyRow) -> ShareTokenReadResponse:
    return ShareTokenReadResponse(
        share_token_id=row.id,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked=row.revoked_at is not None,
    )


@router.post(
    "",
    operation_id="create_share_token_v1_access_share_tokens_post",
    summary="Make a share token",
    status_code=status.HTTP_201_CREATED,
)
async def create_share_token(
    request: ShareTokenCreateRequest, context: ContextDep, principal: PrincipalDep
) -> ShareTokenCreateResponse:
    """Make a share token. Its secret is in this answer and nowhere else; it opens what it is granted afterwards.

    Whoever holds the secret still has to be signed in.
    """
    created = await commands.create_share_token(context, principal, request.expires_at)
    return ShareTokenCreateResponse(share_token=created.secret, **_response(created.row).model_dump())


@router.get("", operation_id="list_share_tokens_v1_access_share_tokens_get", summary="List share tokens")
async def list_share_tokens(
    context: ContextDep,
    principal: PrincipalDep,
    run_id: Annotated[UUID | None, Query(description="Only tokens that open this run, or something in it")] = None,
    created_by: Annotated[str | None, Query(description="Only tokens that this user made")] = None,
    revoked: Annotated[bool | None, Query(description="Only tokens that are revoked, or only the others")] = None,
    page: Annotated[int, Query(ge=1)] = 1,
    page_size: Annotated[int, Query(ge=5, le=100)] = 50,
    sort: Annotated[list[str] | None, Query(description=_SORT_DESCRIPTION)] = None,
) -> list[ShareTokenReadResponse]:
    """The tokens that the caller made, for super administrators all; newest first unless sorted otherwise."""
    scope = AllRuns() if principal.role is Role.SUPER_ADMIN else own_runs(principal)
    narrow = queries.ShareTokenFilter(run_id, created_by, revoked)
    order = sort_order(sort, queries.SHARE_TOKEN_SORT)
    async with context.database.transaction(principal.scope) as connection:
        rows = await queries.share_tokens(connection, scope, narrow, order=order, page=Page(page, page_size))
    return [_response(row) for row in rows]


@router.get(
    "/{share_token_id}",
    operation_id="get_share_token_v1_access_share_tokens__share_token_id__get",
    summary="Read a share token",
    responses={403: {"description": "Not yours to see"}, 404: {"description": "No such share token for you"}},
)
async def read_share_token(
    share_token_id: ShareTokenId, context: ContextDep, principal: PrincipalDep
) -> ShareTokenReadResponse:
    """One share token, without its secret."""
    return _response((await commands.find_share_token(context, principal, share_token_id)).row)


@router.delete(
    "/{share_token_id}",
    operation_id="revoke_share_token_v1_access_share_tokens__share_token_id__delete",
    summary="Revoke a share token",
    response_description="Revoked",
    responses={
        403: {"description": "Not yours to revoke"},
        404: {"description": "No such share token for you"},
        409: {"description": "It was revoked before"},
    },
)
async def revoke_share_token(
    share_token_id: ShareTokenId, context: ContextDep, principal: PrincipalDep
) -> ShareTokenReadResponse:
    """End a share token at once, whatever it has been granted."""
    return _response(await commands.revoke_share_token(context, principal, share_token_id))
