"""Who is served next, and whether a failed attempt is followed by another."""

from dataclasses import dataclass
from datetime import datetime, timedelta

DEFAULT_DUE = timedelta(days=7)
"""A run without a due date is served as if due this long after its submission."""

UPLOAD_URL_LIFETIME = timedelta(hours=1)
"""How long a worker may begin to upload an artifact to the URL it was given."""

LATE_UPLOADS_UNTIL = 2 * UPLOAD_URL_LIFETIME
"""An attempt that ended this long ago uploads nothing any more, even if it began at the last moment."""

_BACKOFF_FACTOR = 4
_MOST_STEPS = 10
_LONGEST_BACKOFF = timedelta(hours=1)


def due_by(submitted_at: datetime, due_date: datetime | None) -> datetime:
    """The date by which a run is ranked within its organization."""
    return due_date if due_date is not None else submitted_at + DEFAULT_DUE


@dataclass(frozen=True)
class Retry:
    """Another attempt may start after this time."""

    delay: timedelta


@dataclass(frozen=True)
class GiveUp:
    """No attempt is left."""


def after_failure(attempt: int, *, max_attempts: int, backoff_s: float) -> Retry | GiveUp:
    """What follows when attempt number ``attempt`` (from 1) failed by the platform's fault.

    Each pause is four times the one before, up to an hour.
    """
    if attempt >= max_attempts:
        return GiveUp()
    factor = _BACKOFF_FACTOR ** min(attempt - 1, _MOST_STEPS)
    return Retry(min(timedelta(seconds=backoff_s) * factor, _LONGEST_BACKOFF))
