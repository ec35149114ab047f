"""SQL about the weights and caps of organizations."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.scheduling import SchedulingPolicy
from coverslip.service.access.rules import OrganizationRuns
from coverslip.service.scheduling.tables import organization_queue


async def policy(connection: AsyncConnection, administered: OrganizationRuns) -> SchedulingPolicy:
    """The policy of an organization, the usual one if nobody has set any."""
    columns = [organization_queue.c[name] for name in SchedulingPolicy.model_fields]
    statement = select(*columns).where(organization_queue.c.organization_id == administered.organization_id)
    row = (await connection.execute(statement)).one_or_none()
    return SchedulingPolicy.model_validate(row._mapping) if row is not None else SchedulingPolicy()


async def save_policy(connection: AsyncConnection, organization_id: str, new: SchedulingPolicy) -> None:
    values = new.model_dump()
    statement = upsert(organization_queue).values(organization_id=organization_id, **values)
    await connection.execute(statement.on_conflict_do_update(index_elements=["organization_id"], set_=values))
