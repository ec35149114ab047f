"""Where an item stands in the queue: how many are to start before it, as things are now.

By the order of `order_rules`, an organization's k-th waiting item (from 0) starts at its level and k times what an item
of it is charged. So how many items of another organization start before that needs no list of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from coverslip.service.scheduling.order_rules import organization_key, served_s, start_level

_ROUNDING = 1e-9


class Backlog(NamedTuple):
    """What an organization has waiting: so many items, each charged ``charge_s`` (divided by its weight)."""

    organization_id: str
    level: float
    charge_s: float
    waiting: int


@dataclass(frozen=True)
class Place:
    """Where the waiting items of a run stand.

    Attributes
    ----------
    before_of_organization
        Waiting items of its organization's other runs that come before its own.
    before_of_others
        Items of other organizations that come before those of the run, by the rank of these among its waiting items,
        from 1.
    """

    before_of_organization: int
    before_of_others: Mapping[int, int]

    def of_organization(self, rank: int) -> int:
        """The position, from 1, of the run's item of ``rank`` in the organization's queue."""
        return self.before_of_organization + rank

    def of_platform(self, rank: int) -> int:
        """The same in the platform's queue."""
        return self.of_organization(rank) + self.before_of_others[rank]


class Queue:
    """All that waited at a time.

    Parameters
    ----------
    backlogs
        Of every organization that has items waiting.
    frontier
        See `order_rules.start_level`.
    at_s
        The time.
    """

    def __init__(self, backlogs: Iterable[Backlog], *, frontier: float, at_s: float) -> None:
        ordered = sorted(backlogs, key=lambda backlog: organization_key(0, backlog.organization_id))
        self._number = {backlog.organization_id: number for number, backlog in enumerate(ordered)}
        levels = [start_level(backlog.level, frontier=frontier, at_s=at_s) for backlog in ordered]
        self._first_s = np.array([served_s(level, at_s=at_s) for level in levels])
        self._charge_s = np.array([backlog.charge_s for backlog in ordered])
        self._waiting = np.array([backlog.waiting for backlog in ordered])

    def before(self, organization_id: str, ranks: Sequence[int]) -> Sequence[int]:
        """How many items of other organizations start before those of ``ranks``, from 0, of an organization.

        Zeros if it had nothing waiting when this queue was looked at.
        """
        own = self._number.get(organization_id)
        if own is None:
            return [0] * len(ranks)
        start_s = self._first_s[own] + np.array(ranks)[:, np.newaxis] * self._charge_s[own]
        steps = (start_s - self._first_s) / self._charge_s
        whole = np.round(steps)
        is_whole = np.abs(steps - whole) <= _ROUNDING * np.maximum(1, np.abs(steps))
        # Who starts at the same level comes first by its id.
        counts = np.where(is_whole, whole + (np.arange(len(self._waiting)) < own), np.ceil(steps))
        counts = np.clip(counts, 0, self._waiting)
        counts[:, own] = 0
        return [int(count) for count in counts.sum(axis=1)]
