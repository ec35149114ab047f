"""The order in which items are served: fair between organizations, urgent first within one.

Between organizations this is start-time fair queueing (Goyal, Vin, Cheng: Start-Time Fair Queueing, SIGCOMM 1996) with
a memory that fades. What an organization was served is counted in slot-seconds, divided by its weight, and halves in
`HALF_LIFE_S`. All organizations forget alike, so instead of shrinking what was served, later service is counted for
more: a second at time t counts 2^(t / half-life). The base-2 logarithm of that sum is the organization's *level*. It
changes when the organization is served and never by itself, so it can be indexed, and it cannot overflow.

Times are seconds since 1970 by the database's clock.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

HALF_LIFE_S = 86_400.0
"""After so long, service counts half."""

CREDIT_S = 3_600.0
"""Slot-seconds for each unit of weight that an organization can be behind the one served last, at most.

An organization falls behind while it waits for what no worker has room for, or at its caps. Without a bound, waiting so
for a month would earn it all slots for a day.
"""

UNKNOWN_DURATION_S = 60.0
"""What an item is expected to take as long as none of its version has succeeded."""

SHORTEST_DURATION_S = 1.0
"""What an item is expected to take at least, so that each start counts until its end is known."""

NEVER_SERVED = -math.inf
"""The level of an organization that was served nothing yet."""


def expected_s(mean_s: float | None) -> float:
    """What an item is charged when it starts; when it ends, the charge becomes the time it took.

    ``mean_s`` is what items of its version took so far, None if that is not known.
    """
    return UNKNOWN_DURATION_S if mean_s is None else max(mean_s, SHORTEST_DURATION_S)


def charged(level: float, seconds: float, *, weight: float, at_s: float) -> float:
    """The level after another ``seconds`` of a slot at time ``at_s``; negative ones are given back."""
    if seconds == 0:
        return level
    change = math.log2(abs(seconds) / weight) + at_s / HALF_LIFE_S
    if seconds > 0:
        high, low = max(level, change), min(level, change)
        return high + math.log1p(math.exp2(low - high)) / math.log(2)
    # More can be given back than was served when the weight was changed meanwhile.
    return level + math.log2(1 - math.exp2(change - level)) if change < level else NEVER_SERVED


def served_s(level: float, *, at_s: float) -> float:
    """The slot-seconds for each unit of weight that a level stands for, as they count at time ``at_s``."""
    return math.exp2(level - at_s / HALF_LIFE_S)


def start_level(level: float, *, frontier: float, at_s: float) -> float:
    """Where an organization's next item starts: at its level, but not further behind the frontier than `CREDIT_S`.

    The frontier is the highest level at which an item of any organization has started.
    """
    return max(level, charged(frontier, -CREDIT_S, weight=1, at_s=at_s))


def level_on_arrival(level: float, *, least_waiting: float | None, frontier: float, at_s: float) -> float:
    """The level of an organization that had nothing waiting and now has: that of the least served, if its own is lower.

    Parameters
    ----------
    level
        Its own, from what it was served before.
    least_waiting
        The lowest level among the others that have items waiting; None if none has.
    frontier
        See `start_level`; it stands for the others when none of them waits.
    at_s
        The time of arrival.
    """
    least = frontier if least_waiting is None else start_level(least_waiting, frontier=frontier, at_s=at_s)
    return max(level, least)


@dataclass(frozen=True)
class Caps:
    """How many items may be processed at once; None is no limit."""

    max_items: int | None = None
    max_items_per_user: int | None = None
    max_items_per_run: int | None = None

    def allow(self, *, of_organization: int, of_user: int, of_run: int) -> bool:
        """Whether an organization, a user and a run may have so many items in processing."""
        pairs = (
            (of_organization, self.max_items),
            (of_user, self.max_items_per_user),
            (of_run, self.max_items_per_run),
        )
        return all(cap is None or count <= cap for count, cap in pairs)


def organization_key(level: float, organization_id: str) -> tuple[float, str]:
    """Of all organizations that may start an item, the one with the smallest key does."""
    return level, organization_id


def run_key(
    *, processing: int, items_at_once: int, due_by: datetime, submitted_at: datetime, run_id: UUID
) -> tuple[bool, datetime, datetime, UUID]:
    """Of an organization's runs that may start an item, the one with the smallest key does.

    A run with ``items_at_once`` items in processing lets the organization's other runs go first; no slot is left idle
    for that.
    """
    return processing >= items_at_once, due_by, submitted_at, run_id
