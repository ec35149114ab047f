"""Release documents over HTTP."""

from typing import Any

from fastapi import APIRouter, status
from fastapi.responses import RedirectResponse

from coverslip.contract.documents import VersionDocumentResponse
from coverslip.service.access.principal import Principal
from coverslip.service.catalog import queries as catalog
from coverslip.service.catalog.errors import ApplicationNotFound, VersionNotFound
from coverslip.service.context import Context, ContextDep
from coverslip.service.database.rows import AnyRow
from coverslip.service.documents import queries
from coverslip.service.documents.errors import DocumentNotFound
from coverslip.service.documents.rules import visible_to
from coverslip.service.identity.authentication import PrincipalDep
from coverslip.service.storage.store import Area, ObjectKey

router = APIRouter(prefix="/v1/applications/{application_id}/versions/{version}/documents", tags=["Public"])

_NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "No such document, or not one for you"}}
_REDIRECT: dict[int | str, dict[str, Any]] = {
    307: {"description": "The document is at the signed URL in `Location`"},
    **_NOT_FOUND,
}


async def _documents(context: Context, principal: Principal, application_id: str, version: str) -> list[AnyRow]:
    async with context.database.transaction(principal.scope) as connection:
        if await catalog.application_by_id(connection, application_id) is None:
            raise ApplicationNotFound
        if await catalog.version(connection, application_id, version) is None:
            raise VersionNotFound
        return list(await queries.documents(connection, application_id, version, visible_to(principal)))


async def _document(context: Context, principal: Principal, application_id: str, version: str, name: str) -> AnyRow:
    for row in await _documents(context, principal, application_id, version):
        if row.name == name:
            return row
    raise DocumentNotFound


def _response(row: AnyRow) -> VersionDocumentResponse:
    return VersionDocumentResponse(
        id=row.id,
        name=row.name,
        mime_type=row.mime_type,
        visibility=row.visibility,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _redirect(context: Context, row: AnyRow, file_name: str | None = None) -> RedirectResponse:
    url = context.store.sign_get(
        ObjectKey(Area.DOCUMENTS, row.object_path),
        expires_in_s=context.settings.result_url_lifetime_s,
        file_name=file_name,
        media_type=row.mime_type,
    )
    return RedirectResponse(url, status_code=status.HTTP_307_TEMPORARY_REDIRECT, headers={"Cache-Control": "no-store"})


@router.get(
    "",
    operation_id="list_version_documents",
    summary="List the documents of a version",
    responses={404: {"description": "No such version for you"}},
)
async def list_documents(
    application_id: str, version: str, context: ContextDep, principal: PrincipalDep
) -> list[VersionDocumentResponse]:
    """The public documents of a version, such as its model card; for super administrators the internal ones too."""
    return [_response(row) for row in await _documents(context, principal, application_id, version)]


@router.get("/{name}", operation_id="get_version_document", summary="Read what a document is", responses=_NOT_FOUND)
async def read_document(
    application_id: str, version: str, name: str, context: ContextDep, principal: PrincipalDep
) -> VersionDocumentResponse:
    """Name, media type and times of one document."""
    return _response(await _document(context, principal, application_id, version, name))


@router.get(
    "/{name}/file",
    operation_id="get_version_document_file",
    summary="Download a document",
    status_code=status.HTTP_307_TEMPORARY_REDIRECT,
    response_class=RedirectResponse,
    responses=_REDIRECT,
)
async def read_document_file(
    application_id: str, version: str, name: str, context: ContextDep, principal: PrincipalDep
) -> RedirectResponse:
    """Redirect to a signed URL under which a browser saves the document."""
    return _redirect(context, await _document(context, principal, application_id, version, name), file_name=name)


@router.get(
    "/{name}/content",
    operation_id="get_version_document_content",
    summary="Read a document",
    status_code=status.HTTP_307_TEMPORARY_REDIRECT,
    response_class=RedirectResponse,
    responses=_REDIRECT,
)
async def read_document_content(
    application_id: str, version: str, name: str, context: ContextDep, principal: PrincipalDep
) -> RedirectResponse:
    """Redirect to a signed URL under which the document is shown as what it is."""
    return _redirect(context, await _document(context, principal, application_id, version, name))
