"""SQL about artifacts."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.artifacts import ArtifactOutput, ArtifactTerminationReason
from coverslip.contract.fields import JsonObject
from coverslip.service.access.queries import output_in
from coverslip.service.access.sharing_rules import RunParts
from coverslip.service.artifacts.rules import ArtifactStatus
from coverslip.service.artifacts.tables import input_artifact, output_artifact
from coverslip.service.database.rows import AnyRow
from coverslip.service.lifecycle import State


def status_of(row: AnyRow) -> ArtifactStatus:
    """The status in a row of ``output_artifact``."""
    reason = ArtifactTerminationReason(row.termination_reason) if row.termination_reason else None
    return ArtifactStatus(State(row.state), reason, ArtifactOutput(row.output), row.error_code, row.error_message)


def _columns_of(status: ArtifactStatus) -> dict[str, Any]:
    return {
        "state": status.state,
        "termination_reason": status.termination_reason,
        "output": status.output,
        "error_code": status.error_code,
        "error_message": status.error_message,
        "terminated_at": func.now() if status.state is State.TERMINATED else None,
    }


async def insert_artifacts(
    connection: AsyncConnection, inputs: Sequence[Mapping[str, Any]], outputs: Sequence[Mapping[str, Any]]
) -> None:
    await connection.execute(insert(input_artifact), list(inputs))
    if outputs:
        await connection.execute(insert(output_artifact), list(outputs))


async def inputs_of(connection: AsyncConnection, item_ids: Collection[UUID]) -> Sequence[AnyRow]:
    statement = select(input_artifact).where(input_artifact.c.item_id.in_(item_ids)).order_by(input_artifact.c.name)
    return (await connection.execute(statement)).all()


async def outputs_of(connection: AsyncConnection, item_ids: Collection[UUID]) -> Sequence[AnyRow]:
    statement = (
        select(output_artifact)
        .where(output_artifact.c.item_id.in_(item_ids))
        .order_by(output_artifact.c.item_id, output_artifact.c.position)
    )
    return (await connection.execute(statement)).all()


async def output_by_name(connection: AsyncConnection, item_id: UUID, name: str) -> AnyRow | None:
    statement = select(output_artifact).where(output_artifact.c.item_id == item_id, output_artifact.c.name == name)
    return (await connection.execute(statement)).one_or_none()


async def output_of_run(connection: AsyncConnection, parts: RunParts, artifact_id: UUID) -> AnyRow | None:
    """An output artifact, if it is among ``parts`` of a run."""
    statement = select(output_artifact).where(output_in(parts), output_artifact.c.id == artifact_id)
    return (await connection.execute(statement)).one_or_none()


async def save_uploading(connection: AsyncConnection, artifact_id: UUID, status: ArtifactStatus) -> None:
    await connection.execute(
        update(output_artifact).where(output_artifact.c.id == artifact_id).values(**_columns_of(status))
    )


async def save_published(
    connection: AsyncConnection,
    artifact_id: UUID,
    status: ArtifactStatus,
    *,
    object_path: str,
    size_bytes: int,
    metadata: JsonObject,
) -> None:
    await connection.execute(
        update(output_artifact)
        .where(output_artifact.c.id == artifact_id)
        .values(**_columns_of(status), object_path=object_path, size_bytes=size_bytes, metadata=metadata)
    )


async def requeue_unfinished(connection: AsyncConnection, item_id: UUID) -> None:
    """Put the artifacts that a lost attempt was uploading back to PENDING."""
    await connection.execute(
        update(output_artifact)
        .where(output_artifact.c.item_id == item_id, output_artifact.c.state == State.PROCESSING)
        .values(state=State.PENDING)
    )


async def give_up_unfinished(
    connection: AsyncConnection,
    item_ids: Collection[UUID],
    reason: ArtifactTerminationReason,
    error_code: str | None = None,
    error_message: str | None = None,
) -> None:
    """End the artifacts that their items ended without."""
    status = ArtifactStatus().given_up(reason, error_code, error_message)
    await connection.execute(
        update(output_artifact)
        .where(output_artifact.c.item_id.in_(item_ids), output_artifact.c.state != State.TERMINATED)
        .values(**_columns_of(status))
    )


async def delete_outputs(connection: AsyncConnection, run_id: UUID, output: ArtifactOutput) -> Sequence[str]:
    """Mark a run's available artifacts as deleted; returns the paths of the objects to delete."""
    statement = (
        update(output_artifact)
        .where(output_artifact.c.run_id == run_id, output_artifact.c.output == ArtifactOutput.AVAILABLE)
        .values(output=output, metadata=None)
        .returning(output_artifact.c.object_path)
    )
    paths: Sequence[str] = (await connection.execute(statement)).scalars().all()
    return paths


async def available_paths(connection: AsyncConnection, item_id: UUID) -> frozenset[str]:
    """The object paths of an item's available artifacts."""
    statement = select(output_artifact.c.object_path).where(
        output_artifact.c.item_id == item_id, output_artifact.c.output == ArtifactOutput.AVAILABLE
    )
    return frozenset((await connection.execute(statement)).scalars())
