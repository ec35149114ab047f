"""SQL that finds the next item, in the order of `order_rules`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.service.items.tables import item
from coverslip.service.lifecycle import State
from coverslip.service.runs.tables import run
from coverslip.service.scheduling.tables import organization_queue, version_duration

Versions = Sequence[tuple[str, str]]
"""Application ids and version numbers."""

# Written into the statement, not sent beside it: only so a plan made once knows that the partial indexes hold the rows.
_NONE: ColumnElement[int] = literal(0, literal_execute=True)
_WAITS: ColumnElement[str] = literal(State.PENDING.value, literal_execute=True)


@dataclass(frozen=True)
class Candidate:
    """The run that an organization is served next, as it was when looked at."""

    run_id: UUID
    version: tuple[str, str]
    weight: float
    mean_s: float | None
    gives_way: bool
    """It has as many items in processing as a run may have while others of its organization wait."""
    passed_over_s: float | None
    """For so long smaller items have gone first."""


def _first_run(*conditions: ColumnElement[bool], gives_way: bool) -> Select[Any]:
    """The first run of an organization that may start an item."""
    in_order = (
        select(
            run.c.id, run.c.application_id, run.c.version_number, run.c.due_by, run.c.submitted_at, run.c.passed_over_at
        )
        .where(
            run.c.organization_id == organization_queue.c.organization_id,
            run.c.item_pending_count > _NONE,
            tuple_(run.c.application_id, run.c.version_number).in_(bindparam("versions", expanding=True)),
            *conditions,
            _below(organization_queue.c.max_items_per_run, run.c.item_processing_count),
            or_(
                organization_queue.c.max_items_per_user.is_(None),
                _processing_of_user() < organization_queue.c.max_items_per_user,
            ),
        )
        .order_by(run.c.due_by, run.c.submitted_at, run.c.id)
        # Keeps PostgreSQL from looking for the items of all of them, of which those of the first suffice.
        .offset(0)
        .correlate(organization_queue)
        .subquery()
    )
    ready = exists().where(item.c.run_id == in_order.c.id, item.c.state == _WAITS, item.c.available_at <= func.now())
    return (
        select(
            in_order.c.id,
            in_order.c.application_id,
            in_order.c.version_number,
            func.date_part("epoch", func.now() - in_order.c.passed_over_at).label("passed_over_s"),
            literal(gives_way).label("gives_way"),
        )
        .where(ready)
        .order_by(in_order.c.due_by, in_order.c.submitted_at, in_order.c.id)
        .limit(1)
    )


def _processing_of_user() -> ColumnElement[int]:
    """How many items of the organization's runs by the same user are in processing."""
    same = run.alias()
    return (
        select(func.coalesce(func.sum(same.c.item_processing_count), 0))
        .where(
            same.c.organization_id == run.c.organization_id,
            same.c.submitted_by == run.c.submitted_by,
            same.c.item_processing_count > _NONE,
        )
        .correlate(run)
        .scalar_subquery()
    )


def _below(cap: ColumnElement[int | None], count: ColumnElement[int]) -> ColumnElement[bool]:
    return or_(cap.is_(None), count < cap)


def _candidates() -> Select[Any]:
    items_at_once: ColumnElement[int] = bindparam("items_at_once")
    first = (
        union_all(
            _first_run(run.c.item_processing_count < items_at_once, gives_way=False),
            # Few are in processing, and have an index of their own.
            _first_run(
                run.c.item_processing_count > _NONE,
                run.c.item_processing_count >= items_at_once,
                gives_way=True,
            ),
        )
        .order_by("gives_way")
        .limit(1)
        .lateral("first")
    )
    duration = version_duration
    of_version = and_(duration.c.application_id == first.c.application_id, duration.c.number == first.c.version_number)
    return (
        select(first, organization_queue.c.weight, duration.c.mean_s)
        .select_from(organization_queue)
        .join(first, literal(True))
        .outerjoin(duration, of_version)
        .where(
            organization_queue.c.waiting > _NONE,
            _below(organization_queue.c.max_items, organization_queue.c.processing),
        )
        .order_by(organization_queue.c.level, organization_queue.c.organization_id)
        .limit(bindparam("most"))
    )


# Made once: to make it takes longer than to run it.
_CANDIDATES = _candidates()


async def candidates(
    connection: AsyncConnection, versions: Versions, *, items_at_once: int, limit: int
) -> Sequence[Candidate]:
    """The next run of each organization that may start an item of one of ``versions``, in the order they are served."""
    values = {"versions": versions, "items_at_once": items_at_once, "most": limit}
    return [
        Candidate(
            row.id, (row.application_id, row.version_number), row.weight, row.mean_s, row.gives_way, row.passed_over_s
        )
        for row in await connection.execute(_CANDIDATES, values)
    ]


async def pass_over(connection: AsyncConnection, run_id: UUID) -> None:
    """Note that smaller items go before a run's, if that is not noted yet."""
    is_first = and_(run.c.id == run_id, run.c.passed_over_at.is_(None))
    await connection.execute(update(run).where(is_first).values(passed_over_at=func.now()))


async def stop_passing_over(connection: AsyncConnection, run_id: UUID) -> None:
    """Note that an item of a locked run was not passed over this time."""
    await connection.execute(update(run).where(run.c.id == run_id).values(passed_over_at=None))
