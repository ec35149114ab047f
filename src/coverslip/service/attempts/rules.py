"""Why an attempt ended."""

from coverslip.contract.attempts import AttemptOutcome, ExitCause

_OF_OUTCOME = {
    AttemptOutcome.SUCCEEDED: ExitCause.SUCCEEDED,
    AttemptOutcome.USER_ERROR: ExitCause.INPUT_FAULT,
    AttemptOutcome.CANCELED: ExitCause.CANCELED,
    AttemptOutcome.LEASE_LOST: ExitCause.LEASE_LOST,
}


def exit_cause(outcome: AttemptOutcome, told: ExitCause | None = None) -> ExitCause:
    """The cause that goes with an outcome.

    Of a SYSTEM_ERROR only the worker knows it, so what it ``told`` counts; one that told nothing, or what contradicts
    the outcome, is at fault itself.
    """
    if outcome in _OF_OUTCOME:
        return _OF_OUTCOME[outcome]
    return ExitCause.WORKER_FAULT if told is None or told in _OF_OUTCOME.values() else told
