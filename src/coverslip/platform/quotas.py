"""What the caller and their organization may still do, what they did, what it cost; and setting that, for those who
may."""

from collections.abc import Sequence
from datetime import date
from typing import TypeVar

from pydantic import BaseModel

from coverslip.contract.quotas import (
    OrganizationLimits,
    OrganizationQuotasResponse,
    PriceList,
    QuotasReadResponse,
    SlidePrice,
    UsageResponse,
    UserLimits,
    UserQuotasResponse,
)
from coverslip.platform.api import Api, segment

ROOT = "/api/coverslip/v1"

Answer = TypeVar("Answer")


class Quotas:
    """Quotas, usage and prices. What names an organization is for its administrators; setting its own quotas and prices
    is for super administrators of the platform."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def own(self) -> QuotasReadResponse:
        """The quotas that hold for the caller."""
        return self._api.read(QuotasReadResponse, f"{ROOT}/quotas")

    def usage(
        self, first_day: date | None = None, last_day: date | None = None, *, organization_id: str | None = None
    ) -> UsageResponse:
        """The slides that were processed and what they cost, by month, application and user.

        Parameters
        ----------
        first_day, last_day
            Both included, in UTC; by default from the first of this month until today.
        organization_id
            All of an organization; by default what the caller may see of their own.

        Raises
        ------
        InvalidRequest, NotFound, AccessDenied
        """
        path = f"{ROOT}/usage" if organization_id is None else f"{_organization(organization_id)}/usage"
        days = {"from": first_day, "to": last_day}
        params = {name: day.isoformat() for name, day in days.items() if day is not None}
        return self._api.read(UsageResponse, path, params)

    def of_organization(self, organization_id: str) -> OrganizationQuotasResponse:
        """The quotas of an organization.

        Raises
        ------
        NotFound, AccessDenied
        """
        return self._api.read(OrganizationQuotasResponse, f"{_organization(organization_id)}/quotas")

    def set_for_organization(self, organization_id: str, limits: OrganizationLimits) -> OrganizationQuotasResponse:
        """Replace the quotas of an organization.

        Raises
        ------
        NotFound, AccessDenied
        """
        return self._put(OrganizationQuotasResponse, f"{_organization(organization_id)}/quotas", limits)

    def of_user(self, organization_id: str, user_id: str) -> UserQuotasResponse:
        """The quotas of a user.

        Raises
        ------
        NotFound, AccessDenied
        """
        return self._api.read(UserQuotasResponse, _user(organization_id, user_id))

    def set_for_user(self, organization_id: str, user_id: str, limits: UserLimits) -> UserQuotasResponse:
        """Replace the quotas of a user.

        Raises
        ------
        NotFound, AccessDenied
        """
        return self._put(UserQuotasResponse, _user(organization_id, user_id), limits)

    def prices(self, organization_id: str) -> list[SlidePrice]:
        """What applications cost an organization; those without a price are free.

        Raises
        ------
        NotFound, AccessDenied
        """
        return self._api.read(PriceList, f"{_organization(organization_id)}/prices").prices

    def set_prices(self, organization_id: str, prices: Sequence[SlidePrice]) -> list[SlidePrice]:
        """Replace the price list of an organization, for slides that succeed from now on.

        Raises
        ------
        InvalidRequest, NotFound, AccessDenied
        """
        return self._put(PriceList, f"{_organization(organization_id)}/prices", PriceList(prices=list(prices))).prices

    def _put(self, kind: type[Answer], path: str, body: BaseModel) -> Answer:
        # Set again, it is the same.
        response = self._api.request("PUT", path, body=body.model_dump(mode="json"), repeatable=True)
        return self._api.understand(kind, response)


def _organization(organization_id: str) -> str:
    return f"{ROOT}/organizations/{segment(organization_id)}"


def _user(organization_id: str, user_id: str) -> str:
    return f"{_organization(organization_id)}/users/{segment(user_id)}/quotas"
