"""Uploads and objects of the caller's organization (extension API)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, status

from coverslip.contract.uploads import (
    ObjectReadResponse,
    PartCreateRequest,
    PartCreateResponse,
    UploadCreateRequest,
    UploadResponse,
)
from coverslip.service.access.principal import Principal
from coverslip.service.context import Context, ContextDep
from coverslip.service.database.rows import AnyRow
from coverslip.service.identity.authentication import PrincipalDep
from coverslip.service.paging import Page
from coverslip.service.storage import object_commands, queries, upload_commands

uploads_router = APIRouter(prefix="/uploads", tags=["Uploads"])
objects_router = APIRouter(prefix="/objects", tags=["Objects"])

_NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "Not there, or not yours"}}
_REFUSED: dict[int | str, dict[str, Any]] = {
    400: {"description": "The name cannot be part of a key"},
    402: {"description": "The organization's storage quota would be exceeded"},
}


async def _response(context: Context, principal: Principal, upload: AnyRow) -> UploadResponse:
    return UploadResponse(
        upload_id=upload.id,
        object_key=upload.path,
        download_url=upload_commands.download_url(context, upload.path),
        complete=await upload_commands.is_complete(context, principal, upload),
        missing_parts=await upload_commands.missing_parts(context, upload),
    )


@uploads_router.post("", status_code=status.HTTP_201_CREATED, operation_id="begin_upload", responses=_REFUSED)
async def begin_upload(request: UploadCreateRequest, context: ContextDep, principal: PrincipalDep) -> UploadResponse:
    """Announce a file. The same file announced again goes on where it stopped, or is complete at once."""
    return await _response(context, principal, await upload_commands.begin(context, principal, request))


@uploads_router.get("/{upload_id}", operation_id="read_upload", responses=_NOT_FOUND)
async def read_upload(upload_id: UUID, context: ContextDep, principal: PrincipalDep) -> UploadResponse:
    """What is missing of a file."""
    return await _response(context, principal, await upload_commands.find(context, principal, upload_id))


@uploads_router.post("/{upload_id}/parts/{number}", operation_id="sign_part", responses=_NOT_FOUND)
async def sign_part(
    upload_id: UUID, number: int, request: PartCreateRequest, context: ContextDep, principal: PrincipalDep
) -> PartCreateResponse:
    """Where to PUT one part, which must have exactly this checksum."""
    upload = await upload_commands.find(context, principal, upload_id)
    url = upload_commands.sign_part(context, upload, number, request.checksum_base64_crc32c)
    return PartCreateResponse(upload_url=url)


@uploads_router.post(
    "/{upload_id}/complete",
    operation_id="complete_upload",
    responses={
        **_NOT_FOUND,
        400: {"description": "The parts are not the announced file; they were deleted"},
        409: {"description": "Parts are missing"},
        507: {"description": "The disk of the store is full"},
    },
)
async def complete_upload(upload_id: UUID, context: ContextDep, principal: PrincipalDep) -> UploadResponse:
    """Make one object of the parts. It takes a while for large files: the whole is verified once more."""
    return await _response(context, principal, await upload_commands.complete(context, principal, upload_id))


@uploads_router.delete(
    "/{upload_id}", status_code=status.HTTP_204_NO_CONTENT, operation_id="drop_upload", responses=_NOT_FOUND
)
async def drop_upload(upload_id: UUID, context: ContextDep, principal: PrincipalDep) -> None:
    """Give up an upload and delete what has arrived."""
    await upload_commands.drop(context, principal, upload_id)


@objects_router.get("", operation_id="list_objects")
async def list_objects(
    context: ContextDep,
    principal: PrincipalDep,
    page: Annotated[int, Query(ge=1)] = 1,
    page_size: Annotated[int, Query(ge=5, le=100)] = 50,
) -> list[ObjectReadResponse]:
    """What the caller has uploaded, newest first."""
    async with context.database.transaction(principal.scope) as connection:
        rows = await queries.objects_of_user(
            connection,
            organization_id=principal.organization_id,
            user_id=principal.user_id,
            page=Page(page, page_size),
        )
    return [
        ObjectReadResponse(
            object_key=row.path,
            bucket_key=row.key,
            size_bytes=row.size_bytes,
            checksum_base64_crc32c=row.checksum_base64_crc32c,
            created_at=row.created_at,
        )
        for row in rows
    ]


@objects_router.delete(
    "/{object_key:path}",
    status_code=status.HTTP_204_NO_CONTENT,
    operation_id="delete_object",
    responses={
        **_NOT_FOUND,
        400: {"description": "No object can have such a key"},
        409: {"description": "An unfinished run needs the object"},
    },
)
async def delete_object(object_key: str, context: ContextDep, principal: PrincipalDep) -> None:
    """Delete an object that the caller uploaded and no unfinished run needs."""
    await object_commands.delete_object(context, principal, object_key)
