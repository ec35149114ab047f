"""Reading and setting what share of the slots an organization has."""

from coverslip.contract.scheduling import SchedulingPolicy
from coverslip.service.access.principal import Principal
from coverslip.service.audit import queries as audit
from coverslip.service.context import Context
from coverslip.service.database.notifications import WORK, notify
from coverslip.service.organizations.administration import require_administrator, require_super_administrator
from coverslip.service.scheduling import policy_queries as queries


async def read_policy(context: Context, principal: Principal, organization_id: str) -> SchedulingPolicy:
    """The policy of an organization, for its administrators.

    Raises
    ------
    OrganizationNotFound, Forbidden
    """
    async with context.database.transaction(principal.scope) as connection:
        administered = await require_administrator(connection, principal, organization_id)
        return await queries.policy(connection, administered)


async def set_policy(
    context: Context, principal: Principal, organization_id: str, policy: SchedulingPolicy
) -> SchedulingPolicy:
    """Replace the policy of an organization. What it was served so far counts as before.

    Raises
    ------
    OrganizationNotFound, Forbidden
    """
    async with context.database.transaction(principal.scope) as connection:
        administered = await require_super_administrator(connection, principal, organization_id)
        before = await queries.policy(connection, administered)
        await queries.save_policy(connection, organization_id, policy)
        await audit.record(
            connection,
            "scheduling.changed",
            subject=organization_id,
            user_id=principal.user_id,
            organization_id=organization_id,
            before=before.model_dump(),
            after=policy.model_dump(),
        )
        await notify(connection, WORK)
    return policy
