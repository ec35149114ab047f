"""Keeps the account of each organization between the others: what waits, what is processed, what it was served."""

from dataclasses import replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.attempts import AttemptOutcome
from coverslip.service.database.notifications import WORK, notify
from coverslip.service.runs.rules import Statistics
from coverslip.service.scheduling import account_queries as queries
from coverslip.service.scheduling.account_queries import Account
from coverslip.service.scheduling.order_rules import Caps, charged, level_on_arrival, start_level


class CapReached(Exception):
    """Meanwhile as many items are processed as may be; the transaction that starts another has to be undone."""


async def move(
    connection: AsyncConnection, *, run_id: UUID, organization_id: str, before: Statistics, after: Statistics
) -> Account | None:
    """Take over that items of a locked run have moved, as the last thing that is locked for it.

    Attempts that ended are charged what they took instead of what was expected of them. Returns where the organization
    stands now, None if no item has moved.
    """
    waiting, processing = after.pending - before.pending, after.processing - before.processing
    if waiting == 0 and processing == 0:
        return None
    account = await queries.move_items(connection, organization_id, waiting=waiting, processing=processing)
    moved = account
    if processing < 0:
        moved = await _settle(connection, run_id, moved)
        if account.waiting > 0 and account.caps != Caps():
            await notify(connection, WORK)
    if account.waiting == waiting > 0:
        level = level_on_arrival(
            moved.level, least_waiting=moved.least_waiting, frontier=moved.frontier, at_s=moved.at_s
        )
        moved = replace(moved, level=level)
    if moved != account:
        await queries.save_level(connection, organization_id, level=moved.level, last_start=moved.last_start)
    return moved


async def _settle(connection: AsyncConnection, run_id: UUID, account: Account) -> Account:
    level = account.level
    for ended in await queries.attempts_ended_now(connection, run_id):
        level = charged(level, ended.took_s - ended.charged_s, weight=ended.weight, at_s=ended.started_s)
        if ended.outcome == AttemptOutcome.SUCCEEDED:
            await queries.learn_duration(connection, (ended.application_id, ended.version_number), ended.took_s)
    return replace(account, level=level, last_start=min(account.last_start, level))


async def charge(
    connection: AsyncConnection,
    account: Account,
    *,
    organization_id: str,
    user_id: str,
    of_run: int,
    expected_s: float,
    weight: float,
) -> None:
    """Charge an organization for an item that starts.

    Parameters
    ----------
    connection
        Of the transaction that starts it.
    account
        As `move` left it, which has counted the item already.
    organization_id
        Whose item it is.
    user_id
        Who submitted it.
    of_run
        How many items of its run are in processing, with it.
    expected_s
        What it is expected to take.
    weight
        That of the organization.

    Raises
    ------
    CapReached
    """
    of_user = 0
    if account.caps.max_items_per_user is not None:
        of_user = await queries.processing_of_user(connection, organization_id, user_id)
    if not account.caps.allow(of_organization=account.processing, of_user=of_user, of_run=of_run):
        raise CapReached
    start = start_level(account.level, frontier=account.frontier, at_s=account.at_s)
    level = charged(start, expected_s, weight=weight, at_s=account.at_s)
    await queries.save_level(connection, organization_id, level=level, last_start=start)
