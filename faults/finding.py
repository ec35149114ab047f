"""What an auditor has found wrong."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """In which way it is wrong."""

    LOST = "lost"
    """A run, an item, an artifact or an event is missing."""
    DOUBLE = "double"
    """Something is there, or was done, twice."""
    STUCK = "stuck"
    """Something does not end."""
    WRONG = "wrong"
    """Something says what is not so."""
    LEFTOVERS = "leftovers"
    """Something is there that nobody needs any more."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, in words for whoever looks into it."""

    kind: Kind
    evidence: str
