"""Which of the versions that a worker offers it has room for, and that large items get room in the end."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.applications.manifest import Resources
from coverslip.contract.worker import LeaseRequest, Room
from coverslip.service.catalog import queries as catalog
from coverslip.service.context import Context
from coverslip.service.database.scope import PlatformScope
from coverslip.service.scheduling import claim_queries
from coverslip.service.scheduling.claim_queries import Candidate, Versions


@dataclass(frozen=True)
class Offer:
    """The versions whose items fit into a worker: now, and when it is empty; with what each needs."""

    now: Versions
    when_empty: Versions
    resources: Mapping[tuple[str, str], Resources]


async def offer_of(connection: AsyncConnection, request: LeaseRequest) -> Offer:
    """What of a worker's offer there is room for."""
    offered = [(version.application_id, version.version_number) for version in request.versions]
    rows = await catalog.resources_of(connection, offered)
    needs = {(row.application_id, row.number): Resources.model_validate(row.resources) for row in rows}
    return Offer(_fitting(needs, request.free), _fitting(needs, request.total), needs)


def _fitting(needs: Mapping[tuple[str, str], Resources], room: Room | None) -> Versions:
    return [version for version, resources in needs.items() if room is None or resources.fit_into(room)]


async def first_without_room(context: Context, connection: AsyncConnection, offer: Offer) -> Candidate | None:
    """The run to be served first, if it fits into the empty worker but not into what is free now."""
    if len(offer.now) == len(offer.when_empty):
        return None
    items_at_once = context.settings.items_of_run_at_once
    first = await claim_queries.candidates(connection, offer.when_empty, items_at_once=items_at_once, limit=1)
    return next((candidate for candidate in first if candidate.version not in offer.now), None)


def must_wait_for_room(context: Context, too_large: Candidate) -> bool:
    """Whether smaller items have gone first for so long that the worker gets none until this one fits."""
    return too_large.passed_over_s is not None and too_large.passed_over_s > context.settings.large_item_wait_s


async def pass_over(context: Context, too_large: Candidate) -> None:
    """Note that a smaller item has gone first, in a transaction of its own: no other may hold two runs."""
    if too_large.passed_over_s is None:
        async with context.database.transaction(PlatformScope()) as connection:
            await claim_queries.pass_over(connection, too_large.run_id)
