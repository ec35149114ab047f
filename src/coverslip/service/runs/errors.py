"""Why something cannot be done with a run."""

from http import HTTPStatus
from typing import Any

from coverslip.service.errors import ServiceError
from coverslip.service.runs.validation import Fault


class RunNotFound(ServiceError):
    """run not found"""

    code = "RUN.NOT_FOUND"
    status = HTTPStatus.NOT_FOUND
    remedy = "`coverslip application run list` shows your runs."


class RunRefused(ServiceError):
    """{sentences}"""

    code = "RUN.REFUSED"
    status = HTTPStatus.BAD_REQUEST
    remedy = "Correct every fault named in `errors` and submit again; nothing was created."

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(sentences="; ".join(fault.message for fault in faults))
        self._faults = faults

    @property
    def errors(self) -> list[dict[str, Any]]:
        return [{"loc": list(fault.place), "msg": fault.message, "type": fault.code} for fault in self._faults]


class RunTerminated(ServiceError):
    """The run has already ended: {reason}."""

    code = "RUN.TERMINATED"
    status = HTTPStatus.CONFLICT


class RunNotTerminated(ServiceError):
    """The run has not ended yet, so its results cannot be deleted."""

    code = "RUN.NOT_TERMINATED"
    status = HTTPStatus.CONFLICT
    remedy = "Wait until it has ended, or cancel it first."


class IdempotencyKeyReused(ServiceError):
    """This Idempotency-Key was used for another request: run {run_id}."""

    code = "RUN.IDEMPOTENCY_KEY_REUSED"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    place = ("header", "idempotency-key")
    remedy = "Use a new key for a new run."


class MetadataChanged(ServiceError):
    """The custom metadata has changed since you read it, so your change was not made."""

    code = "METADATA.CHANGED"
    status = HTTPStatus.PRECONDITION_FAILED
    remedy = "Read it again, apply your change to what is there now, and send the new checksum."


class FilterRefused(ServiceError):
    """The custom_metadata filter is not a PostgreSQL jsonpath: {reason}."""

    code = "FILTER.REFUSED"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    place = ("query", "custom_metadata")
    remedy = 'A valid filter is, for example: $.study ? (@ == "abc-1")'


class FilterTooSlow(ServiceError):
    """The custom_metadata filter took longer than {timeout_ms} ms and was stopped."""

    code = "FILTER.TOO_SLOW"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    place = ("query", "custom_metadata")
    remedy = "Compare with == rather than like_regex, or narrow the list by application or external id."
