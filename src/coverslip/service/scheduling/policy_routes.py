"""The share of the slots of an organization over HTTP (extension API)."""

from typing import Any

from fastapi import APIRouter

from coverslip.contract.scheduling import SchedulingPolicy
from coverslip.service.context import ContextDep
from coverslip.service.identity.authentication import PrincipalDep
from coverslip.service.scheduling import policy_commands

router = APIRouter(prefix="/organizations/{organization_id}/scheduling", tags=["Scheduling"])

_REFUSALS: dict[int | str, dict[str, Any]] = {
    403: {"description": "Not yours to see or change"},
    404: {"description": "No such organization for you"},
}


@router.get("", operation_id="read_scheduling_policy", responses=_REFUSALS)
async def read_scheduling_policy(
    organization_id: str, context: ContextDep, principal: PrincipalDep
) -> SchedulingPolicy:
    """The weight and caps of an organization, for its administrators."""
    return await policy_commands.read_policy(context, principal, organization_id)


@router.put("", operation_id="set_scheduling_policy", responses=_REFUSALS)
async def set_scheduling_policy(
    organization_id: str, policy: SchedulingPolicy, context: ContextDep, principal: PrincipalDep
) -> SchedulingPolicy:
    """Replace the weight and caps of an organization, for super administrators. What is left out becomes as usual."""
    return await policy_commands.set_policy(context, principal, organization_id, policy)
