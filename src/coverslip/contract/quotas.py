"""Quotas, usage and cost (extension): what an organization and its users may still do, what was done, what it cost."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from coverslip.contract.fields import SEMVER_PATTERN, Instant, StorableText

MAX_LIMIT = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly."""

MOST_PRICES = 1000


class QuotaName(StrEnum):
    """What is limited. The fields of the models below have the same names."""

    SLIDES_PER_MONTH = "slides_per_month"
    PARALLEL_RUNS = "parallel_runs"
    SLIDES_PER_RUN = "slides_per_run"
    USERS = "users"
    STORAGE_BYTES = "storage_bytes"


class QuotaHolder(StrEnum):
    """Whose quota it is."""

    ORGANIZATION = "ORGANIZATION"
    USER = "USER"


def _written(amount: Decimal) -> str:
    whole, _, fraction = f"{amount.normalize():f}".partition(".")
    return f"{whole}.{fraction:0<2}"


Amount = Annotated[Decimal, PlainSerializer(_written, return_type=str)]
"""Money, exact: a decimal number in a string, such as ``"12.50"``."""

Price = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=4), PlainSerializer(_written, return_type=str)]

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217", examples=["EUR"])]

Limit = Annotated[int, Field(ge=0, le=MAX_LIMIT)]


class UserLimits(BaseModel):
    """The quotas of one user in one organization; without one, the user is limited by the organization's only."""

    # A misspelt name must not lift a limit.
    model_config = ConfigDict(extra="forbid")

    slides_per_month: Limit | None = Field(default=None, description="Slides in a calendar month (UTC)")
    parallel_runs: Limit | None = Field(default=None, description="Runs that have not ended")


class OrganizationLimits(UserLimits):
    """The quotas of an organization; what is absent is unlimited."""

    slides_per_run: Limit | None = Field(
        default=None, description="Slides in one run; COVERSLIP_MAX_ITEMS_PER_RUN holds too"
    )
    users: Limit | None = Field(default=None, description="Members")
    storage_bytes: Limit | None = Field(
        default=None, description="Objects in the bucket and uploads that have begun; results are not counted"
    )


class QuotaBalance(BaseModel):
    """A quota and what is left of it."""

    limit: int | None = Field(description="null: unlimited")
    used: int
    remaining: int | None = Field(description="null: unlimited")
    resets_at: Instant | None = Field(default=None, description="When counting starts anew; null: never")


class UserBalances(BaseModel):
    """What is left of a user's quotas."""

    slides_per_month: QuotaBalance
    parallel_runs: QuotaBalance


class OrganizationBalances(UserBalances):
    """What is left of an organization's quotas."""

    slides_per_run: QuotaBalance
    users: QuotaBalance
    storage_bytes: QuotaBalance


class QuotasReadResponse(BaseModel):
    """The quotas that hold for the caller; both must have room."""

    organization: OrganizationBalances
    user: UserBalances


class OrganizationQuotasResponse(BaseModel):
    """The quotas of an organization, as they are set and as they stand."""

    organization_id: str
    limits: OrganizationLimits
    balances: OrganizationBalances


class UserQuotasResponse(BaseModel):
    """The quotas of a user in an organization, as they are set and as they stand."""

    organization_id: str
    user_id: str
    limits: UserLimits
    balances: UserBalances


class QuotaExcess(BaseModel):
    """A quota that a refused request (402) would have exceeded."""

    quota: QuotaName
    holder: QuotaHolder
    limit: int
    used: int
    asked: int
    resets_at: Instant | None = None


class Cost(BaseModel):
    """What slides cost."""

    amount: Amount
    currency: Currency


class SlidePrice(BaseModel):
    """What one slide costs that an application processed; a price for a version comes before one for all."""

    model_config = ConfigDict(extra="forbid")

    application_id: StorableText = Field(examples=["he-tme"])
    version_number: Annotated[str, Field(pattern=SEMVER_PATTERN)] | None = Field(
        default=None, description="null: every version without a price of its own"
    )
    amount: Price = Field(examples=["12.50"])
    currency: Currency


class PriceList(BaseModel):
    """What applications cost an organization; those without a price cost nothing."""

    model_config = ConfigDict(extra="forbid")

    prices: list[SlidePrice] = Field(max_length=MOST_PRICES)


class UsageRow(BaseModel):
    """The slides that one application processed for one user in one month."""

    month: str = Field(description="Of the end of processing, in UTC", examples=["2026-11"])
    application_id: str
    user_id: str
    slides: int = Field(description="Slides that SUCCEEDED; others cost nothing")
    reused_slides: int = Field(description="Those among them that got the results of an earlier run, at no cost")
    cost: Cost | None = Field(description="null: free")


class UsageResponse(BaseModel):
    """What was processed from one day to another, both included, and what it cost."""

    organization_id: str
    first_day: date
    last_day: date
    rows: list[UsageRow]
    slides: int
    costs: list[Cost] = Field(description="In all, one for each currency")
