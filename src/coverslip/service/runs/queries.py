"""SQL about runs."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, cast, exists, func, insert, select, update
from sqlalchemy.dialects.postgresql import JSONPATH
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.fields import JsonObject
from coverslip.contract.runs import RunTerminationReason
from coverslip.service.access.queries import in_scope
from coverslip.service.access.rules import RunScope
from coverslip.service.database.rows import AnyRow
from coverslip.service.events import queries as events
from coverslip.service.items.tables import item
from coverslip.service.lifecycle import State
from coverslip.service.paging import Page, SortOrder
from coverslip.service.runs.rules import RunStatus, Statistics
from coverslip.service.runs.tables import run
from coverslip.service.scheduling import accounting
from coverslip.service.scheduling.account_queries import Account, open_account

RUN_SORT: Mapping[str, ColumnElement[Any]] = {
    "run_id": run.c.id,
    "application_id": run.c.application_id,
    "version_number": run.c.version_number,
    "custom_metadata": run.c.custom_metadata,
    "submitted_at": run.c.submitted_at,
    "submitted_by": run.c.submitted_by,
    "terminated_at": run.c.terminated_at,
    "termination_reason": run.c.termination_reason,
    "state": run.c.state,
}


# A string in a jsonpath; a dollar sign in it is not the root.
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


@dataclass(frozen=True)
class RunFilter:
    """What a list of runs is narrowed to."""

    application_id: str | None = None
    version_number: str | None = None
    external_id: str | None = None
    custom_metadata: str | None = None
    submitted_by: str | None = None
    organization_id: str | None = None


@dataclass(frozen=True)
class LockedRun:
    """A run whose row this transaction has locked."""

    id: UUID
    organization_id: str
    submitted_by: str
    application_id: str
    version_number: str
    status: RunStatus
    last_event: int
    results_deleted: bool = False


def status_of(row: AnyRow) -> RunStatus:
    """The status in a row of ``run``."""
    statistics = Statistics(
        pending=row.item_pending_count,
        processing=row.item_processing_count,
        succeeded=row.item_succeeded_count,
        user_error=row.item_user_error_count,
        system_error=row.item_system_error_count,
        skipped=row.item_skipped_count,
    )
    reason = RunTerminationReason(row.termination_reason) if row.termination_reason else None
    return RunStatus(statistics, State(row.state), reason, row.error_code, row.error_message)


def _columns_of(status: RunStatus) -> dict[str, Any]:
    return {
        "state": status.state,
        "termination_reason": status.termination_reason,
        "error_code": status.error_code,
        "error_message": status.error_message,
        "item_count": status.statistics.total,
        "item_pending_count": status.statistics.pending,
        "item_processing_count": status.statistics.processing,
        "item_succeeded_count": status.statistics.succeeded,
        "item_user_error_count": status.statistics.user_error,
        "item_system_error_count": status.statistics.system_error,
        "item_skipped_count": status.statistics.skipped,
    }


async def insert_run(connection: AsyncConnection, status: RunStatus, values: Mapping[str, Any]) -> None:
    """Write a new run. Its items join the queue when `save_run` is told that it had none."""
    await connection.execute(insert(run).values(**values, **_columns_of(status), last_event=0))
    await open_account(connection, values["organization_id"])


async def lock_run(
    connection: AsyncConnection, run_id: UUID, scope: RunScope, *, skip_locked: bool = False
) -> LockedRun | None:
    """Lock a run's row: whoever changes a run, or an item of it, does this first.

    None if there is no such run in ``scope``, or with ``skip_locked`` if somebody else holds it.
    """
    statement = select(run).where(run.c.id == run_id, in_scope(scope)).with_for_update(skip_locked=skip_locked)
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        return None
    return LockedRun(
        row.id,
        row.organization_id,
        row.submitted_by,
        row.application_id,
        row.version_number,
        status_of(row),
        row.last_event,
        row.results_deleted_at is not None,
    )


async def save_run(
    connection: AsyncConnection, locked: LockedRun, status: RunStatus, new_events: Sequence[events.NewEvent]
) -> Account | None:
    """Write the new status of a locked run and what happened.

    This locks the row of the run's organization, so it comes last in a transaction. Returns where the organization
    stands in the queue now, None if no item has moved.
    """
    last = await events.append(
        connection,
        run_id=locked.id,
        organization_id=locked.organization_id,
        last=locked.last_event,
        events=new_events,
    )
    ended = status.state is State.TERMINATED and locked.status.state is not State.TERMINATED
    await connection.execute(
        update(run)
        .where(run.c.id == locked.id)
        .values(**_columns_of(status), last_event=last, **({"terminated_at": func.now()} if ended else {}))
    )
    return await accounting.move(
        connection,
        run_id=locked.id,
        organization_id=locked.organization_id,
        before=locked.status.statistics,
        after=status.statistics,
    )


async def run_by_id(connection: AsyncConnection, run_id: UUID, scope: RunScope) -> AnyRow | None:
    return (await connection.execute(select(run).where(run.c.id == run_id, in_scope(scope)))).one_or_none()


async def run_by_idempotency_key(
    connection: AsyncConnection, *, organization_id: str, user_id: str, key: str
) -> AnyRow | None:
    """The run created with this key. Until the transaction ends, nobody else creates one with it."""
    await connection.execute(
        select(func.pg_advisory_xact_lock(func.hashtextextended(f"{organization_id}\n{user_id}\n{key}", 0)))
    )
    statement = select(run.c.id, run.c.request_digest).where(
        run.c.organization_id == organization_id, run.c.submitted_by == user_id, run.c.idempotency_key == key
    )
    return (await connection.execute(statement)).one_or_none()


async def runs(
    connection: AsyncConnection, scope: RunScope, narrow: RunFilter, *, order: SortOrder, page: Page
) -> Sequence[AnyRow]:
    """The runs in ``scope`` that pass the filter; without an order, the newest first."""
    conditions = [in_scope(scope)]
    equal = {
        run.c.application_id: narrow.application_id,
        run.c.version_number: narrow.version_number,
        run.c.submitted_by: narrow.submitted_by,
        run.c.organization_id: narrow.organization_id,
    }
    conditions += [column == value for column, value in equal.items() if value is not None]
    if narrow.external_id is not None:
        conditions.append(exists().where(item.c.run_id == run.c.id, item.c.external_id == narrow.external_id))
    if narrow.custom_metadata is not None:
        conditions.append(matches_jsonpath(run.c.custom_metadata, narrow.custom_metadata))
    statement = select(run).where(*conditions).order_by(*(order or [run.c.submitted_at.desc()]), run.c.id)
    return (await connection.execute(page.of(statement))).all()


def matches_jsonpath(column: ColumnElement[Any], path: str) -> ColumnElement[bool]:
    """PostgreSQL's ``@?`` in lax mode; a path without root is given one, as the published contract says."""
    rooted = path if "$" in _STRING.sub("", path) else f"$.{path.strip()}"
    return column.bool_op("@?")(cast(rooted, JSONPATH))


async def runs_past_deadline(connection: AsyncConnection) -> Sequence[UUID]:
    statement = select(run.c.id).where(run.c.state != State.TERMINATED, run.c.deadline <= func.now()).limit(100)
    return (await connection.execute(statement)).scalars().all()


async def runs_past_retention(connection: AsyncConnection, lifetime: timedelta, *, limit: int) -> Sequence[UUID]:
    """Runs that ended longer ago than ``lifetime`` and whose results have not been deleted, the oldest first."""
    statement = (
        select(run.c.id)
        .where(run.c.results_deleted_at.is_(None), run.c.terminated_at <= func.now() - lifetime)
        .order_by(run.c.terminated_at)
        .limit(limit)
    )
    return (await connection.execute(statement)).scalars().all()


async def mark_results_deleted(connection: AsyncConnection, run_id: UUID) -> None:
    await connection.execute(update(run).where(run.c.id == run_id).values(results_deleted_at=func.now()))


async def replace_metadata(connection: AsyncConnection, run_id: UUID, metadata: JsonObject | None) -> JsonObject | None:
    """Replace a run's custom metadata; returns it as stored."""
    statement = update(run).where(run.c.id == run_id).values(custom_metadata=metadata).returning(run.c.custom_metadata)
    stored: JsonObject | None = (await connection.execute(statement)).scalar_one()
    return stored
