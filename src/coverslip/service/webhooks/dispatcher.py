"""Sending what is due, in the background of every service process.

At least once: a process that dies between sending and recording leaves a claim, and when that has expired another
process sends again, under the same message id.
"""

import asyncio
import logging
import random
from collections import Counter
from datetime import timedelta

from coverslip.contract.webhooks import DeliveryState
from coverslip.service.access.rules import AllRuns
from coverslip.service.audit import queries as audit
from coverslip.service.context import Context
from coverslip.service.database.notifications import DELIVERIES
from coverslip.service.database.rows import AnyRow
from coverslip.service.database.scope import PlatformScope
from coverslip.service.runs.queries import lock_run
from coverslip.service.webhooks import delivery_queries as deliveries
from coverslip.service.webhooks import queries
from coverslip.service.webhooks.messages import message_of
from coverslip.service.webhooks.rules import delay_after, is_given_up, reason_to_disable
from coverslip.service.webhooks.secrets import signing_secrets
from coverslip.service.webhooks.sending import Attempt

_PER_WEBHOOK = 4  # a slow receiver must not take all there is,
_SHARE_OF_ORGANIZATION = 0.5  # nor may all the slow receivers of one organization
_IN_A_ROW = 50  # then another webhook may have the turn
_LOOK_AGAIN_S = 30.0
_CLAIM_MARGIN_S = 30.0
_END_WITHIN_S = 3.0

log = logging.getLogger(__name__)


async def dispatch_for_ever(context: Context) -> None:
    """Send deliveries as they become due, until cancelled."""
    with context.notifications.watch(DELIVERIES) as wake:
        await _Dispatcher(context, wake).run()


class _Dispatcher:
    def __init__(self, context: Context, wake: asyncio.Event) -> None:
        self._context = context
        self._wake = wake
        self._lease = timedelta(seconds=context.settings.webhook_timeout_s + _CLAIM_MARGIN_S)
        self._sending: dict[asyncio.Task[None], AnyRow] = {}
        self._is_ending = False

    async def run(self) -> None:
        try:
            while True:
                self._wake.clear()
                try:
                    wait_s = await self._start_due()
                except Exception:
                    log.warning("cannot look for webhook deliveries; trying again", exc_info=True)
                    wait_s = 1.0
                await self._sleep(wait_s)
        finally:
            await self._end()

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _start_due(self) -> float:
        """Begin to send as much as may be sent at once; returns how many seconds later there may be more."""
        while len(self._sending) < self._context.settings.webhook_connections:
            busy = self._busy()
            async with self._context.database.transaction(PlatformScope()) as connection:
                claimed = await deliveries.claim(connection, self._lease, busy=busy)
                if claimed is None:
                    due_in_s = await deliveries.seconds_until_due(connection, busy=busy)
                    return _LOOK_AGAIN_S if due_in_s is None else min(max(due_in_s, 0.0), _LOOK_AGAIN_S)
            task = asyncio.create_task(self._deliver(claimed))
            self._sending[task] = claimed
            task.add_done_callback(self._ended)
        return _LOOK_AGAIN_S

    def _busy(self) -> deliveries.Busy:
        of_webhook = Counter(claimed.webhook_id for claimed in self._sending.values())
        of_organization = Counter(claimed.organization_id for claimed in self._sending.values())
        most = max(1, round(self._context.settings.webhook_connections * _SHARE_OF_ORGANIZATION))
        return deliveries.Busy(
            [webhook_id for webhook_id, n in of_webhook.items() if n >= _PER_WEBHOOK],
            [organization_id for organization_id, n in of_organization.items() if n >= most],
        )

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._sending[task]
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a webhook delivery failed on our side and is tried again later", exc_info=error)

    async def _end(self) -> None:
        """Let what is being sent come to its end, for a while."""
        self._is_ending = True
        tasks = list(self._sending)
        if tasks:
            await asyncio.wait(tasks, timeout=_END_WITHIN_S)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _deliver(self, claimed: AnyRow) -> None:
        """Send a claimed delivery, and while that goes well, what else is due for its webhook."""
        for left in reversed(range(_IN_A_ROW)):
            secrets = signing_secrets(self._context.cipher, claimed)
            attempt = await self._context.sender.send(claimed.url, message_of(claimed), secrets)
            following = await self._record(claimed, attempt, go_on=left > 0 and not self._is_ending)
            if following is None:
                return
            claimed = following

    async def _record(self, claimed: AnyRow, attempt: Attempt, *, go_on: bool) -> AnyRow | None:
        """Write down how an attempt went; if well, and if wanted, claims the next delivery."""
        async with self._context.database.transaction(PlatformScope()) as connection:
            # Locks are taken in one order everywhere: run, webhook, delivery.
            await lock_run(connection, claimed.run_id, AllRuns())
            if not await queries.hold(connection, claimed.webhook_id):
                return None
            result = _after(claimed, attempt, first_s=self._context.settings.webhook_retry_s)
            reason = None
            if attempt.is_delivered:
                if claimed.failing_since is not None:
                    await queries.note_success(connection, claimed.webhook_id)
            else:
                failing_for = await queries.note_failure(connection, claimed.webhook_id)
                given_up = result.state is DeliveryState.FAILED
                reason = reason_to_disable(status_code=attempt.status_code, given_up=given_up, failing_for=failing_for)
            if not await deliveries.save_attempt(connection, claimed.id, claimed.claimed_until, result):
                return None
            await deliveries.advance(connection, claimed.run_id, [claimed.webhook_id])
            if reason is not None and await queries.disable(connection, claimed.webhook_id, reason):
                await audit.record(
                    connection,
                    "webhook.disabled",
                    subject=str(claimed.webhook_id),
                    organization_id=claimed.organization_id,
                    reason=reason,
                )
            if attempt.is_delivered and go_on:
                return await deliveries.claim(connection, self._lease, webhook_id=claimed.webhook_id)
            return None


def _after(claimed: AnyRow, attempt: Attempt, *, first_s: float) -> deliveries.AttemptResult:
    """What becomes of a delivery after an attempt."""
    state, delay = DeliveryState.DELIVERED, None
    if not attempt.is_delivered:
        delay = delay_after(
            claimed.attempts + 1,
            first_s=first_s,
            jitter=random.random(),  # noqa: S311 - spreads load, keeps no secret
            retry_after_s=attempt.retry_after_s,
        )
        given_up = is_given_up(trying_for=claimed.trying_for or timedelta(), delay=delay)
        state, delay = (DeliveryState.FAILED, None) if given_up else (DeliveryState.PENDING, delay)
    return deliveries.AttemptResult(state, attempt.status_code, attempt.duration_ms, attempt.error, delay)
