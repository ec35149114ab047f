"""Quotas over HTTP (extension API)."""

from typing import Any

from fastapi import APIRouter

from coverslip.contract.quotas import (
    OrganizationLimits,
    OrganizationQuotasResponse,
    QuotasReadResponse,
    UserLimits,
    UserQuotasResponse,
)
from coverslip.service.context import ContextDep
from coverslip.service.identity.authentication import PrincipalDep
from coverslip.service.quotas import commands

router = APIRouter(tags=["Quotas"])

FOR_ADMINISTRATORS: dict[int | str, dict[str, Any]] = {
    403: {"description": "Not yours to see or change"},
    404: {"description": "No such organization for you, or no such user of it"},
}


@router.get("/quotas", operation_id="read_quotas")
async def read_quotas(context: ContextDep, principal: PrincipalDep) -> QuotasReadResponse:
    """What the caller and their organization may still do. Months are calendar months in UTC.

    A slide takes its place when it is submitted, and gives it back if it does not succeed.
    """
    return await commands.read_own(context, principal)


@router.get(
    "/organizations/{organization_id}/quotas", operation_id="read_organization_quotas", responses=FOR_ADMINISTRATORS
)
async def read_organization_quotas(
    organization_id: str, context: ContextDep, principal: PrincipalDep
) -> OrganizationQuotasResponse:
    """The quotas of an organization, for its administrators."""
    return await commands.read_organization(context, principal, organization_id)


@router.put(
    "/organizations/{organization_id}/quotas", operation_id="set_organization_quotas", responses=FOR_ADMINISTRATORS
)
async def set_organization_quotas(
    organization_id: str, limits: OrganizationLimits, context: ContextDep, principal: PrincipalDep
) -> OrganizationQuotasResponse:
    """Replace the quotas of an organization, for super administrators. What is left out becomes unlimited."""
    return await commands.set_organization(context, principal, organization_id, limits)


@router.get(
    "/organizations/{organization_id}/users/{user_id}/quotas",
    operation_id="read_user_quotas",
    responses=FOR_ADMINISTRATORS,
)
async def read_user_quotas(
    organization_id: str, user_id: str, context: ContextDep, principal: PrincipalDep
) -> UserQuotasResponse:
    """The quotas of a user, for administrators of the organization."""
    return await commands.read_user(context, principal, organization_id, user_id)


@router.put(
    "/organizations/{organization_id}/users/{user_id}/quotas",
    operation_id="set_user_quotas",
    responses=FOR_ADMINISTRATORS,
)
async def set_user_quotas(
    organization_id: str, user_id: str, limits: UserLimits, context: ContextDep, principal: PrincipalDep
) -> UserQuotasResponse:
    """Replace the quotas of a user, for administrators of the organization. What is left out becomes unlimited."""
    return await commands.set_user(context, principal, organization_id, user_id, limits)
