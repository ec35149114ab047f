"""SQL about quotas and what is used of them."""

from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.quotas import OrganizationLimits, UserLimits
from coverslip.service.access.queries import in_scope
from coverslip.service.access.rules import OrganizationRuns, OwnRuns
from coverslip.service.identity.tables import user_account
from coverslip.service.lifecycle import State
from coverslip.service.organizations.tables import membership
from coverslip.service.quotas.rules import Month
from coverslip.service.quotas.tables import organization_quota, user_quota
from coverslip.service.runs.tables import run
from coverslip.service.storage.tables import bucket_object, upload


async def hold_quotas(connection: AsyncConnection, organization_id: str) -> None:
    """Until the transaction ends, nobody else uses the quotas of the organization and its users."""
    await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(organization_id, 3))))


async def organization_limits(connection: AsyncConnection, organization_id: str) -> OrganizationLimits:
    columns = [organization_quota.c[name] for name in OrganizationLimits.model_fields]
    statement = select(*columns).where(organization_quota.c.organization_id == organization_id)
    row = (await connection.execute(statement)).one_or_none()
    return OrganizationLimits(**row._mapping) if row is not None else OrganizationLimits()


async def user_limits(connection: AsyncConnection, organization_id: str, user_id: str) -> UserLimits:
    columns = [user_quota.c[name] for name in UserLimits.model_fields]
    statement = select(*columns).where(user_quota.c.organization_id == organization_id, user_quota.c.user_id == user_id)
    row = (await connection.execute(statement)).one_or_none()
    return UserLimits(**row._mapping) if row is not None else UserLimits()


async def save_organization_limits(
    connection: AsyncConnection, organization_id: str, limits: Mapping[str, int | None]
) -> None:
    statement = insert(organization_quota).values(organization_id=organization_id, **limits)
    await connection.execute(statement.on_conflict_do_update(index_elements=["organization_id"], set_=dict(limits)))


async def save_user_limits(
    connection: AsyncConnection, organization_id: str, user_id: str, limits: Mapping[str, int | None]
) -> None:
    statement = insert(user_quota).values(organization_id=organization_id, user_id=user_id, **limits)
    key = ["organization_id", "user_id"]
    await connection.execute(statement.on_conflict_do_update(index_elements=key, set_=dict(limits)))


async def slides_taken(connection: AsyncConnection, scope: OrganizationRuns | OwnRuns, month: Month) -> int:
    """The slides submitted in a month that succeeded, or still may."""
    # From the runs' counters, so that there is nothing that could come to differ from them.
    taken = run.c.item_pending_count + run.c.item_processing_count + run.c.item_succeeded_count
    statement = select(func.coalesce(func.sum(taken), 0)).where(
        in_scope(scope), run.c.submitted_at >= month.start, run.c.submitted_at < month.end
    )
    return int((await connection.execute(statement)).scalar_one())


async def unfinished_runs(connection: AsyncConnection, scope: OrganizationRuns | OwnRuns) -> int:
    statement = select(func.count()).where(in_scope(scope), run.c.state != State.TERMINATED)
    return int((await connection.execute(statement)).scalar_one())


async def members(connection: AsyncConnection, organization_id: str) -> int:
    """How many users the organization has whose accounts are not disabled."""
    statement = (
        select(func.count())
        .select_from(membership)
        .join(user_account, user_account.c.id == membership.c.user_id)
        .where(membership.c.organization_id == organization_id, user_account.c.disabled_at.is_(None))
    )
    return int((await connection.execute(statement)).scalar_one())


async def stored_bytes(connection: AsyncConnection, organization_id: str) -> int:
    """The bytes of the objects in the bucket, and of the uploads that are on their way into it.

    A deleted object counts for as long as a run needs it.
    """
    objects = select(func.coalesce(func.sum(bucket_object.c.size_bytes), 0)).where(
        bucket_object.c.organization_id == organization_id
    )
    has_arrived = select(bucket_object.c.path).where(bucket_object.c.path == upload.c.path).exists()
    uploads = select(func.coalesce(func.sum(upload.c.size_bytes), 0)).where(
        upload.c.organization_id == organization_id, ~has_arrived
    )
    statement = select(objects.scalar_subquery() + uploads.scalar_subquery())
    return int((await connection.execute(statement)).scalar_one())


async def is_stored(connection: AsyncConnection, *, organization_id: str, path: str) -> bool:
    """Whether a file is counted among the organization's already."""
    stored = select(bucket_object.c.path).where(
        bucket_object.c.organization_id == organization_id, bucket_object.c.path == path
    )
    announced = select(upload.c.path).where(upload.c.organization_id == organization_id, upload.c.path == path)
    return (await connection.execute(stored.union_all(announced))).first() is not None
