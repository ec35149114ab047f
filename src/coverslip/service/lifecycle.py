"""The states that runs, items and artifacts share, and the one table of how they may change.

The database holds the same table (``state_transition``) and refuses any other change.
"""

from enum import StrEnum

from coverslip.contract.errors import CoverslipError


class State(StrEnum):
    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    TERMINATED = "TERMINATED"


TRANSITIONS: frozenset[tuple[State, State]] = frozenset(
    {
        (State.PENDING, State.PROCESSING),
        (State.PENDING, State.TERMINATED),
        (State.PROCESSING, State.PENDING),
        (State.PROCESSING, State.TERMINATED),
    }
)


class TransitionRefused(CoverslipError):
    """A thing in state {before} cannot become {after}."""

    code = "LIFECYCLE.TRANSITION_REFUSED"


def change(before: State, after: State) -> State:
    """The new state, if the table allows it.

    Raises
    ------
    TransitionRefused
        If a thing in state ``before`` may not become ``after``.
    """
    if (before, after) not in TRANSITIONS:
        raise TransitionRefused(before=before, after=after)
    return after
