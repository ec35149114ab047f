"""SQL about results that are used again."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.artifacts import ArtifactOutput
from coverslip.contract.items import ItemTerminationReason
from coverslip.service.artifacts.tables import output_artifact
from coverslip.service.database.rows import AnyRow
from coverslip.service.items.tables import item
from coverslip.service.reuse.tables import item_content


async def remember_content(connection: AsyncConnection, *, item_id: UUID, organization_id: str, key: bytes) -> None:
    """Note what the result of an item depends on."""
    statement = upsert(item_content).values(item_id=item_id, organization_id=organization_id, key=key)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=[item_content.c.item_id], set_={"key": key})
    )


async def item_with_result(
    connection: AsyncConnection, *, organization_id: str, key: bytes, not_item: UUID
) -> AnyRow | None:
    """The newest item of the organization with this key that succeeded and has all its artifacts still."""
    lost = (
        select(output_artifact.c.id)
        .where(output_artifact.c.item_id == item.c.id, output_artifact.c.output != ArtifactOutput.AVAILABLE)
        .exists()
    )
    statement = (
        select(item.c.id, func.coalesce(item_content.c.result_from, item.c.terminated_at).label("result_from"))
        .join(item_content, item_content.c.item_id == item.c.id)
        .where(
            item_content.c.organization_id == organization_id,
            item_content.c.key == key,
            item.c.id != not_item,
            item.c.termination_reason == ItemTerminationReason.SUCCEEDED,
            ~lost,
        )
        .order_by(item.c.terminated_at.desc())
        .limit(1)
    )
    return (await connection.execute(statement)).one_or_none()


async def mark_reused(connection: AsyncConnection, item_id: UUID, result_from: datetime) -> None:
    """Note that the item has the artifacts of another one."""
    await connection.execute(
        update(item_content).where(item_content.c.item_id == item_id).values(result_from=result_from)
    )


async def result_from(connection: AsyncConnection, item_id: UUID) -> datetime | None:
    """When the result of an item was computed, if that was for another one; the caller may read the item."""
    statement = select(item_content.c.result_from).where(item_content.c.item_id == item_id)
    return (await connection.execute(statement)).scalar_one_or_none()
