"""Who may have which webhooks, where they may lead, and when a delivery is tried again."""

from dataclasses import dataclass
from datetime import timedelta

import httpx

from coverslip.contract.webhooks import WebhookDisabledReason, WebhookScope
from coverslip.fetching.allow_list import AllowList
from coverslip.fetching.guard import LAST_PORT
from coverslip.service.access.principal import Principal, Role

MOST_WEBHOOKS = 20
"""Of one user, and of one organization."""

ORDERED_ATTEMPTS = 6
"""So often is an event tried before later ones of its run go ahead; with the usual back-off, for ten minutes."""

OLD_SECRET_LIFETIME = timedelta(hours=24)
KEPT = timedelta(days=30)

_GIVE_UP_AFTER = timedelta(hours=24)
_DISABLE_AFTER = timedelta(days=3)
_BACKOFF_FACTOR = 3
_LONGEST_DELAY = timedelta(hours=4)
_JITTER = 0.2  # of the delay, to either side


@dataclass(frozen=True)
class OwnWebhooks:
    """Those that one user registered for their own runs of one organization."""

    organization_id: str
    user_id: str


@dataclass(frozen=True)
class OrganizationWebhooks:
    """Every webhook of one organization."""

    organization_id: str


WebhookReach = OwnWebhooks | OrganizationWebhooks


def reachable_webhooks(principal: Principal) -> WebhookReach:
    """The webhooks ``principal`` may see and change: their own; an administrator, all of the organization."""
    if principal.role is Role.MEMBER:
        return OwnWebhooks(principal.organization_id, principal.user_id)
    return OrganizationWebhooks(principal.organization_id)


def may_register(principal: Principal, scope: WebhookScope) -> bool:
    """Whether ``principal`` may have the runs of ``scope`` told about."""
    return scope is WebhookScope.OWN_RUNS or principal.role is not Role.MEMBER


def fault_of_url(url: str, allowed: AllowList) -> str | None:
    """Why nothing can be sent to ``url``, None if it can, as far as that is known without resolving its host."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError) as error:
        return f"it is not a valid address ({error})"
    if (parsed.port or 0) > LAST_PORT:
        return f"there is no port {parsed.port}"
    if parsed.userinfo:
        return "it must not contain a user name or password; its receiver verifies the signature instead"
    if parsed.scheme == "https" or (parsed.scheme == "http" and allowed.names(parsed.host)):
        return None
    return "it must be https; http is only for hosts that the operator names in COVERSLIP_FETCH_ALLOW"


def delay_after(failures: int, *, first_s: float, jitter: float, retry_after_s: float | None) -> timedelta:
    """How long to wait after so many failures: 1, 3, 9, ... times ``first_s``, at most four hours.

    Parameters
    ----------
    jitter
        Random, 0 to 1: shortens or lengthens the wait by up to a fifth, so that failures do not come back together.
    retry_after_s
        What the receiver asked for, if it did; honoured up to four hours.
    """
    longest_s = _LONGEST_DELAY.total_seconds()
    delay_s = longest_s if failures > 20 else min(first_s * _BACKOFF_FACTOR ** (failures - 1), longest_s)
    delay_s *= 1 - _JITTER + 2 * _JITTER * jitter
    return timedelta(seconds=max(delay_s, min(retry_after_s or 0, longest_s)))


def is_given_up(*, trying_for: timedelta, delay: timedelta) -> bool:
    """Whether a delivery that has failed for ``trying_for`` is not tried again after ``delay``."""
    return trying_for + delay > _GIVE_UP_AFTER


def reason_to_disable(
    *, status_code: int | None, given_up: bool, failing_for: timedelta
) -> WebhookDisabledReason | None:
    """Why a webhook is disabled after a failed attempt, None if it is not."""
    if status_code == httpx.codes.GONE:
        return WebhookDisabledReason.GONE
    if given_up and failing_for > _DISABLE_AFTER:
        return WebhookDisabledReason.FAILING
    return None
