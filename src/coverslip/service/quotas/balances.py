"""Comparing quotas with what is used, and holding room for what is asked."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.quotas import QuotaBalance, QuotaHolder, QuotaName, UserLimits
from coverslip.service.access.principal import Principal
from coverslip.service.access.rules import OrganizationRuns, OwnRuns
from coverslip.service.quotas import queries
from coverslip.service.quotas.errors import QuotaExceeded
from coverslip.service.quotas.rules import Balance, excesses, month_of

Holder = OrganizationRuns | OwnRuns
"""Whose quotas they are: an organization's, or those of one of its users."""


async def require_room_for_run(
    connection: AsyncConnection, principal: Principal, *, slides: int, now: datetime
) -> None:
    """Hold room for a run of the caller, submitted ``now``, until the transaction ends.

    Raises
    ------
    QuotaExceeded
    """
    organization_id, user_id = principal.organization_id, principal.user_id
    asked = {QuotaName.SLIDES_PER_MONTH: slides, QuotaName.PARALLEL_RUNS: 1, QuotaName.SLIDES_PER_RUN: slides}
    await _require_room(connection, [OrganizationRuns(organization_id), OwnRuns(organization_id, user_id)], asked, now)


async def require_room_for_user(connection: AsyncConnection, organization_id: str) -> None:
    """Hold room for one more user of an organization until the transaction ends.

    Raises
    ------
    QuotaExceeded
    """
    await _require_room(connection, [OrganizationRuns(organization_id)], {QuotaName.USERS: 1}, datetime.now(UTC))


async def require_room_for_bytes(connection: AsyncConnection, organization_id: str, added_bytes: int) -> None:
    """Hold room in an organization's bucket until the transaction ends.

    Raises
    ------
    QuotaExceeded
    """
    asked = {QuotaName.STORAGE_BYTES: added_bytes}
    await _require_room(connection, [OrganizationRuns(organization_id)], asked, datetime.now(UTC))


async def require_room_for_file(
    connection: AsyncConnection, organization_id: str, *, path: str, size_bytes: int
) -> None:
    """As `require_room_for_bytes`; a file that is there or on its way already has its room.

    Raises
    ------
    QuotaExceeded
    """
    try:
        await require_room_for_bytes(connection, organization_id, size_bytes)
    except QuotaExceeded:
        if not await queries.is_stored(connection, organization_id=organization_id, path=path):
            raise


async def _require_room(
    connection: AsyncConnection, holders: Sequence[Holder], asked: Mapping[QuotaName, int], now: datetime
) -> None:
    limited = [
        (holder, QuotaName(name), limit)
        for holder in holders
        for name, limit in await _limits_of(connection, holder)
        if limit is not None and name in asked
    ]
    if not limited:
        return
    # From here on nobody else of the organization is let through, so that what is counted is what is used.
    await queries.hold_quotas(connection, holders[0].organization_id)
    refused = excesses([(await _balance(connection, *each, now), asked[each[1]]) for each in limited])
    if refused:
        raise QuotaExceeded(refused)


async def _limits_of(connection: AsyncConnection, holder: Holder) -> UserLimits:
    """The quotas as they are set."""
    match holder:
        case OrganizationRuns(organization_id):
            return await queries.organization_limits(connection, organization_id)
        case OwnRuns(organization_id, user_id):
            return await queries.user_limits(connection, organization_id, user_id)


async def balances_of(
    connection: AsyncConnection, holder: Holder, limits: UserLimits, now: datetime
) -> dict[str, QuotaBalance]:
    """What is left of every quota of ``limits``, by its name."""
    return {name: (await _balance(connection, holder, QuotaName(name), limit, now)).shown() for name, limit in limits}


async def _balance(
    connection: AsyncConnection, holder: Holder, name: QuotaName, limit: int | None, now: datetime
) -> Balance:
    whose = QuotaHolder.ORGANIZATION if isinstance(holder, OrganizationRuns) else QuotaHolder.USER
    match name:
        case QuotaName.SLIDES_PER_MONTH:
            month = month_of(now)
            used = await queries.slides_taken(connection, holder, month)
            return Balance(name, whose, limit, used, resets_at=month.end)
        case QuotaName.PARALLEL_RUNS:
            used = await queries.unfinished_runs(connection, holder)
        case QuotaName.SLIDES_PER_RUN:
            used = 0  # every run begins with none
        case QuotaName.USERS:
            used = await queries.members(connection, holder.organization_id)
        case QuotaName.STORAGE_BYTES:
            used = await queries.stored_bytes(connection, holder.organization_id)
    return Balance(name, whose, limit, used)
