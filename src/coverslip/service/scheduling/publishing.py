"""Taking in the artifacts that an attempt uploads."""

from uuid import UUID

from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.fields import JsonObject
from coverslip.contract.worker import ArtifactPublishRequest, ArtifactUploadRequest
from coverslip.service.access.rules import AllRuns
from coverslip.service.artifacts import queries as artifacts
from coverslip.service.artifacts.rules import attempt_prefix, result_path, uploaded_path
from coverslip.service.catalog import queries as catalog
from coverslip.service.context import Context
from coverslip.service.database.rows import AnyRow
from coverslip.service.database.scope import PlatformScope
from coverslip.service.events.queries import NewEvent
from coverslip.service.lifecycle import State
from coverslip.service.runs import queries as runs
from coverslip.service.scheduling.errors import ArtifactMetadataInvalid, ArtifactNotDeclared, ArtifactNotUploaded
from coverslip.service.scheduling.holding import require_lease
from coverslip.service.scheduling.rules import UPLOAD_URL_LIFETIME
from coverslip.service.storage.errors import ChecksumDiffers, ObjectNotFound, SizeDiffers
from coverslip.service.storage.store import Area, ObjectKey, content_name


async def sign_artifact(
    context: Context, worker_id: UUID, item_id: UUID, token: str, request: ArtifactUploadRequest
) -> str | None:
    """A URL to upload an output artifact to; None when an earlier attempt has published it.

    Raises
    ------
    LeaseLost, ArtifactNotDeclared
    """
    async with context.database.transaction(PlatformScope()) as connection:
        lease = await require_lease(connection, worker_id, item_id, token, lock=True)
        artifact = await _declared_artifact(connection, item_id, request.name)
        status = artifacts.status_of(artifact)
        if status.state is State.TERMINATED:
            return None
        await artifacts.save_uploading(connection, artifact.id, status.uploading())
    return context.store.sign_put(
        _uploaded_key(lease, request.name),
        expires_in_s=int(UPLOAD_URL_LIFETIME.total_seconds()),
        size_bytes=request.size_bytes,
        checksum_base64_crc32c=request.checksum_base64_crc32c,
    )


async def publish_artifact(
    context: Context, worker_id: UUID, item_id: UUID, token: str, request: ArtifactPublishRequest
) -> None:
    """Make an uploaded artifact available; published again, nothing changes.

    Raises
    ------
    LeaseLost, ArtifactNotDeclared, ArtifactMetadataInvalid, ArtifactNotUploaded
    """
    async with context.database.transaction(PlatformScope()) as connection:
        lease = await require_lease(connection, worker_id, item_id, token)
        artifact = await _declared_artifact(connection, item_id, request.name)
        if artifacts.status_of(artifact).state is State.TERMINATED:
            return
    uploaded, key = _uploaded_key(lease, request.name), _result_key(lease, request)
    try:
        await context.store.join(
            [uploaded], key, size_bytes=request.size_bytes, checksum_base64_crc32c=request.checksum_base64_crc32c
        )
        is_there = True
    except (ObjectNotFound, SizeDiffers, ChecksumDiffers):
        is_there = False
    async with context.database.transaction(PlatformScope()) as connection:
        locked = await runs.lock_run(connection, lease.run_id, AllRuns())
        await require_lease(connection, worker_id, item_id, token, lock=True)
        artifact = await _declared_artifact(connection, item_id, request.name)
        status = artifacts.status_of(artifact)
        if status.state is State.TERMINATED:
            return
        if not is_there:
            raise ArtifactNotUploaded(name=request.name)
        metadata = request.metadata | {"checksum_base64_crc32c": request.checksum_base64_crc32c}
        await _check_metadata(connection, lease.run_id, request.name, metadata)
        await artifacts.save_published(
            connection,
            artifact.id,
            status.published(),
            object_path=key.path,
            size_bytes=request.size_bytes,
            metadata=metadata,
        )
        assert locked is not None
        available = NewEvent("artifact.available", item_id, {"name": request.name, "artifact_id": str(artifact.id)})
        await runs.save_run(connection, locked, locked.status, [available])
    await context.store.delete(uploaded)


async def _declared_artifact(connection: AsyncConnection, item_id: UUID, name: str) -> AnyRow:
    artifact = await artifacts.output_by_name(connection, item_id, name)
    if artifact is None:
        raise ArtifactNotDeclared(name=name)
    return artifact


def _attempt_prefix(lease: AnyRow) -> str:
    return attempt_prefix(lease.organization_id, lease.run_id, lease.item_id, lease.attempt)


def _uploaded_key(lease: AnyRow, name: str) -> ObjectKey:
    return ObjectKey(Area.PARTS, uploaded_path(_attempt_prefix(lease), name))


def _result_key(lease: AnyRow, request: ArtifactPublishRequest) -> ObjectKey:
    content = content_name(request.size_bytes, request.checksum_base64_crc32c)
    return ObjectKey(Area.RESULTS, result_path(_attempt_prefix(lease), request.name, content))


async def _check_metadata(connection: AsyncConnection, run_id: UUID, name: str, metadata: JsonObject) -> None:
    run = await runs.run_by_id(connection, run_id, AllRuns())
    assert run is not None
    version = await catalog.version(connection, run.application_id, run.version_number)
    assert version is not None
    schema = next(output["metadata_schema"] for output in version.output_artifacts if output["name"] == name)
    validator = validator_for(schema, default=Draft202012Validator)(schema)
    for error in validator.iter_errors(metadata):
        raise ArtifactMetadataInvalid(name=name, fault=error.message[:300])
