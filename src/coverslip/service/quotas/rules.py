"""When counting starts anew, what is left of a quota, and whether a request fits into it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from coverslip.contract.quotas import QuotaBalance, QuotaExcess, QuotaHolder, QuotaName


@dataclass(frozen=True)
class Month:
    """A calendar month in UTC: from its first instant up to, not including, the first of the next."""

    start: datetime
    end: datetime


def month_of(moment: datetime) -> Month:
    """The month in which ``moment`` lies, before December 9999."""
    start = moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = start.replace(year=start.year + 1, month=1) if start.month == 12 else start.replace(month=start.month + 1)
    return Month(start, end)


@dataclass(frozen=True)
class Balance:
    """A quota and what is used of it; without a limit it is endless."""

    name: QuotaName
    holder: QuotaHolder
    limit: int | None
    used: int = 0
    resets_at: datetime | None = None

    @property
    def remaining(self) -> int | None:
        # A limit may have been lowered below what was used.
        return None if self.limit is None else max(self.limit - self.used, 0)

    def has_room_for(self, asked: int) -> bool:
        """Whether so much more may be used; asking for nothing always may."""
        return self.limit is None or asked <= 0 or self.used + asked <= self.limit

    def shown(self) -> QuotaBalance:
        """As the API shows it."""
        return QuotaBalance(limit=self.limit, used=self.used, remaining=self.remaining, resets_at=self.resets_at)


def excesses(demands: Iterable[tuple[Balance, int]]) -> list[QuotaExcess]:
    """The quotas that have no room for what is asked of them."""
    return [
        QuotaExcess(
            quota=balance.name,
            holder=balance.holder,
            limit=balance.limit,
            used=balance.used,
            asked=asked,
            resets_at=balance.resets_at,
        )
        for balance, asked in demands
        if balance.limit is not None and not balance.has_room_for(asked)
    ]


_UNITS = {
    QuotaName.SLIDES_PER_MONTH: "slides in a calendar month",
    QuotaName.PARALLEL_RUNS: "runs at once",
    QuotaName.SLIDES_PER_RUN: "slides in one run",
    QuotaName.USERS: "users",
    QuotaName.STORAGE_BYTES: "bytes in the bucket",
}


def sentence(excess: QuotaExcess) -> str:
    """What a person reads of it."""
    whose = "Your organization's quota" if excess.holder is QuotaHolder.ORGANIZATION else "Your own quota"
    reset = f", and it starts anew at {excess.resets_at:%Y-%m-%d %H:%M} UTC" if excess.resets_at else ""
    return (
        f"{whose} of {excess.limit} {_UNITS[excess.quota]} has no room for {excess.asked} more: "
        f"{excess.used} used{reset}."
    )
