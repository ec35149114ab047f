"""SQL about deliveries: the queue of what is to be sent, and the log of what was. Time is always the database's."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, exists, func, insert, literal, or_, select, true, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.webhooks import DeliveryState, WebhookScope
from coverslip.service.database.notifications import DELIVERIES, notify
from coverslip.service.database.rows import AnyRow
from coverslip.service.events.tables import event
from coverslip.service.identity.tables import user_account
from coverslip.service.items.tables import item
from coverslip.service.organizations.tables import membership
from coverslip.service.paging import Page
from coverslip.service.runs.tables import run
from coverslip.service.webhooks.queries import previous_is_good
from coverslip.service.webhooks.rules import ORDERED_ATTEMPTS
from coverslip.service.webhooks.tables import delivery, webhook

_MOST_FORGOTTEN = 10_000


@dataclass(frozen=True)
class Busy:
    """Whom as much is being sent for as may be at once."""

    webhook_ids: Collection[UUID] = ()
    organization_ids: Collection[str] = ()


NOBODY = Busy()


@dataclass(frozen=True)
class AttemptResult:
    """How one attempt went, and when the next one follows; None if none does."""

    state: DeliveryState
    status_code: int | None
    duration_ms: int
    error: str | None
    next_after: timedelta | None = None


async def enqueue(connection: AsyncConnection, run_id: UUID, *, after: int) -> None:
    """Make a delivery of each event of a run after number ``after`` for each webhook that asks for it.

    The caller has locked the run and just written these events.
    """
    # Whoever has left the organization is told no more of the runs they submitted for it.
    is_member = exists().where(
        membership.c.user_id == webhook.c.created_by,
        membership.c.organization_id == webhook.c.organization_id,
        user_account.c.id == webhook.c.created_by,
        user_account.c.disabled_at.is_(None),
    )
    wanted = (
        select(
            func.gen_random_uuid(),
            webhook.c.id,
            event.c.organization_id,
            event.c.run_id,
            event.c.number,
            literal(DeliveryState.PENDING),
        )
        .select_from(event)
        .join(run, run.c.id == event.c.run_id)
        .join(webhook, webhook.c.organization_id == event.c.organization_id)
        .where(
            event.c.run_id == run_id,
            event.c.number > after,
            webhook.c.disabled_reason.is_(None),
            or_(webhook.c.event_kinds.is_(None), event.c.kind == func.any(webhook.c.event_kinds)),
            or_(
                webhook.c.scope == WebhookScope.ORGANIZATION,
                and_(webhook.c.created_by == run.c.submitted_by, is_member),
            ),
        )
        # One that is being deleted is waited for, and left out.
        .with_for_update(read=True, key_share=True, of=webhook)
    )
    columns = ["id", "webhook_id", "organization_id", "run_id", "event_number", "state"]
    made = insert(delivery).from_select(columns, wanted).returning(delivery.c.webhook_id).cte("made")
    told = (await connection.execute(select(made.c.webhook_id).distinct())).scalars().all()
    if told:
        await advance(connection, run_id, told)
        await notify(connection, DELIVERIES)


async def advance(connection: AsyncConnection, run_id: UUID, webhook_ids: Collection[UUID]) -> None:
    """In each line of a run, let the first delivery that waits be sent, unless one before it is still being tried.

    The caller has locked the run: of two who advance a line at once, neither would see what the other ends.
    """
    tried, waiting = delivery.alias("tried"), delivery.alias("waiting")
    is_blocked = exists().where(
        tried.c.run_id == run_id,
        tried.c.webhook_id == webhook.c.id,
        tried.c.next_attempt_at.is_not(None),
        tried.c.attempts < ORDERED_ATTEMPTS,
    )
    number = (
        select(waiting.c.event_number)
        .where(
            waiting.c.run_id == run_id,
            waiting.c.webhook_id == webhook.c.id,
            waiting.c.state == DeliveryState.PENDING,
            waiting.c.next_attempt_at.is_(None),
        )
        .order_by(waiting.c.event_number)
        .limit(1)
        .scalar_subquery()
    )
    first = select(webhook.c.id, number).where(webhook.c.id.in_(webhook_ids), ~is_blocked)
    await connection.execute(
        update(delivery)
        .where(delivery.c.run_id == run_id, tuple_(delivery.c.webhook_id, delivery.c.event_number).in_(first))
        .values(next_attempt_at=func.now())
    )


def _scheduled(busy: Busy) -> ColumnElement[bool]:
    return and_(
        delivery.c.next_attempt_at.is_not(None),
        webhook.c.disabled_reason.is_(None),
        webhook.c.id.not_in(busy.webhook_ids),
        delivery.c.organization_id.not_in(busy.organization_ids),
    )


async def claim(
    connection: AsyncConnection, lease: timedelta, *, busy: Busy = NOBODY, webhook_id: UUID | None = None
) -> AnyRow | None:
    """Take the delivery that is due longest, so that nobody else sends it meanwhile.

    It is one of ``webhook_id``, if that is given, and of nobody who is ``busy``.

    Returns it with its event, the run's callback context, and its webhook's address and secrets.
    """
    due = (
        select(delivery.c.id)
        .join(webhook, webhook.c.id == delivery.c.webhook_id)
        .where(
            _scheduled(busy),
            true() if webhook_id is None else webhook.c.id == webhook_id,
            delivery.c.next_attempt_at <= func.now(),
            or_(delivery.c.claimed_until.is_(None), delivery.c.claimed_until <= func.now()),
        )
        .order_by(delivery.c.next_attempt_at)
        .limit(1)
        .with_for_update(of=delivery, skip_locked=True)
    )
    claimed = (
        update(delivery)
        .where(delivery.c.id == due.scalar_subquery())
        .values(claimed_until=func.now() + lease)
        .returning(delivery)
        .cte("claimed")
    )
    statement = (
        select(
            claimed,
            (func.now() - claimed.c.first_attempt_at).label("trying_for"),
            event.c.kind,
            event.c.occurred_at,
            event.c.payload,
            event.c.item_id,
            item.c.external_id,
            run.c.callback_context,
            webhook.c.url,
            webhook.c.failing_since,
            webhook.c.secret_encrypted,
            webhook.c.previous_secret_encrypted,
            previous_is_good,
        )
        .join(webhook, webhook.c.id == claimed.c.webhook_id)
        .join(event, and_(event.c.run_id == claimed.c.run_id, event.c.number == claimed.c.event_number))
        .join(run, run.c.id == claimed.c.run_id)
        .outerjoin(item, item.c.id == event.c.item_id)
    )
    return (await connection.execute(statement)).one_or_none()


async def seconds_until_due(connection: AsyncConnection, *, busy: Busy) -> float | None:
    """How long until there may be something to claim; None if nothing waits."""
    due_at = func.min(func.greatest(delivery.c.next_attempt_at, delivery.c.claimed_until))
    statement = (
        select(func.extract("epoch", due_at - func.now()))
        .select_from(delivery)
        .join(webhook, webhook.c.id == delivery.c.webhook_id)
        .where(_scheduled(busy))
    )
    seconds = (await connection.execute(statement)).scalar_one()
    return None if seconds is None else float(seconds)


async def save_attempt(
    connection: AsyncConnection, delivery_id: UUID, claimed_until: datetime, result: AttemptResult
) -> bool:
    """Record how a claimed delivery went; False if the claim was lost meanwhile."""
    statement = (
        update(delivery)
        .where(delivery.c.id == delivery_id, delivery.c.claimed_until == claimed_until)
        .values(
            state=result.state,
            attempts=delivery.c.attempts + 1,
            first_attempt_at=func.coalesce(delivery.c.first_attempt_at, func.now()),
            last_attempt_at=func.now(),
            next_attempt_at=None if result.next_after is None else func.now() + result.next_after,
            claimed_until=None,
            status_code=result.status_code,
            duration_ms=result.duration_ms,
            error=result.error,
        )
    )
    return bool((await connection.execute(statement)).rowcount)


async def deliveries(
    connection: AsyncConnection, webhook_id: UUID, state: DeliveryState | None, page: Page
) -> Sequence[AnyRow]:
    """The deliveries of a webhook, whose visibility the caller has checked, newest first, with their events' kinds."""
    statement = (
        select(delivery, event.c.kind)
        .join(event, and_(event.c.run_id == delivery.c.run_id, event.c.number == delivery.c.event_number))
        .where(delivery.c.webhook_id == webhook_id)
        .order_by(delivery.c.created_at.desc(), delivery.c.event_number.desc(), delivery.c.id)
    )
    if state is not None:
        statement = statement.where(delivery.c.state == state)
    return (await connection.execute(page.of(statement))).all()


async def run_of_delivery(connection: AsyncConnection, webhook_id: UUID, delivery_id: UUID) -> UUID | None:
    """The run whose event a delivery of this webhook carries."""
    statement = select(delivery.c.run_id).where(delivery.c.id == delivery_id, delivery.c.webhook_id == webhook_id)
    return (await connection.execute(statement)).scalar_one_or_none()


async def send_again(connection: AsyncConnection, delivery_id: UUID) -> None:
    """Have a delivery sent now, as if it never had been."""
    await connection.execute(
        update(delivery)
        .where(delivery.c.id == delivery_id)
        .values(state=DeliveryState.PENDING, attempts=0, first_attempt_at=None, next_attempt_at=func.now())
    )
    await notify(connection, DELIVERIES)


async def forget_old(connection: AsyncConnection, kept: timedelta) -> None:
    """Delete deliveries older than ``kept``, whatever became of them; many at a time."""
    old = (
        select(delivery.c.id)
        .where(delivery.c.created_at < func.now() - kept)
        .limit(_MOST_FORGOTTEN)
        .with_for_update(skip_locked=True)
    )
    await connection.execute(delete(delivery).where(delivery.c.id.in_(old)))
