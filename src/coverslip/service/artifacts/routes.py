"""Output artifacts over HTTP."""

from uuid import UUID

from fastapi import APIRouter, status
from fastapi.responses import RedirectResponse

from coverslip.contract.artifacts import ArtifactOutput
from coverslip.service.access.reading import ReadingDep
from coverslip.service.artifacts import queries
from coverslip.service.artifacts.download import artifact_url
from coverslip.service.artifacts.errors import ArtifactDeleted, ArtifactNotFound
from coverslip.service.context import ContextDep

router = APIRouter(prefix="/v1/runs/{run_id}/artifacts", tags=["Public"])


@router.get(
    "/{artifact_id}/file",
    operation_id="get_artifact_url_v1_runs__run_id__artifacts__artifact_id__file_get",
    summary="Download an artifact",
    responses={
        307: {"description": "The file is at the signed URL in `Location`"},
        403: {"description": "Not yours to download"},
        404: {"description": "No such artifact for you, or not available yet"},
        410: {"description": "The artifact has been deleted"},
    },
)
async def read_artifact_file(
    run_id: UUID, artifact_id: UUID, context: ContextDep, reading: ReadingDep
) -> RedirectResponse:
    """Redirect to a signed URL of the file."""
    async with context.database.transaction(reading.scope) as connection:
        row = await queries.output_of_run(connection, reading.parts, artifact_id)
    if row is None or row.output == ArtifactOutput.NONE:
        raise ArtifactNotFound
    if row.output != ArtifactOutput.AVAILABLE:
        raise ArtifactDeleted
    return RedirectResponse(
        artifact_url(context, row),
        status_code=status.HTTP_307_TEMPORARY_REDIRECT,
        headers={"Cache-Control": "no-store"},
    )
