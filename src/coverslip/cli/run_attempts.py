"""What workers did with a slide, as text."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from coverslip.cli.output import say

if TYPE_CHECKING:
    from coverslip.contract.attempts import AttemptReadResponse


def print_attempts(attempts: "Sequence[AttemptReadResponse]") -> None:
    """A paragraph for each attempt, the newest last: why it ended, where its time went, and what was printed."""
    if not attempts:
        say("No worker has taken this slide yet.")
    for attempt in attempts:
        say()
        _print_attempt(attempt)


def _print_attempt(attempt: "AttemptReadResponse") -> None:
    began = f"{attempt.started_at.astimezone():%Y-%m-%d %H:%M:%S}"
    say(f"attempt {attempt.number}, on {attempt.worker_name}")
    say(f"  started   {began}, {'took' if attempt.ended_at else 'for'} {attempt.duration_s:.1f} s")
    say(f"  ended     {_end(attempt)}")
    if attempt.error_code:
        say(f"  error     {attempt.error_code}: {attempt.error_message}")
    if attempt.peak_memory_mb:
        say(f"  memory    {attempt.peak_memory_mb} MB at most")
    for place, stage in enumerate(attempt.stages):
        say(f"  {'stages' if place == 0 else '':<8}  {stage.duration_s:8.1f} s  {stage.stage}")
    if attempt.log:
        say("  log")
        for line in attempt.log.splitlines():
            say(f"    {line}")


def _end(attempt: "AttemptReadResponse") -> str:
    if attempt.exit_cause is None:
        return f"not yet; {attempt.stage}" if attempt.stage else "not yet"
    return f"{attempt.exit_cause} ({attempt.ended_by})" if attempt.ended_by else attempt.exit_cause
