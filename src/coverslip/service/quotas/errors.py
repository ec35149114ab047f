"""Why a quota refuses, or cannot be set."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from coverslip.contract.quotas import QuotaExcess
from coverslip.service.errors import ServiceError
from coverslip.service.quotas.rules import sentence


class QuotaExceeded(ServiceError):
    """{sentences}"""

    code = "QUOTA.EXCEEDED"
    status = HTTPStatus.PAYMENT_REQUIRED
    remedy = (
        "Nothing was created. `coverslip user quotas` shows what is left. An administrator of your organization sets "
        "your own quotas, and asks the operator of the platform for other quotas of the organization."
    )

    def __init__(self, excesses: Sequence[QuotaExcess]) -> None:
        super().__init__(sentences=" ".join(sentence(excess) for excess in excesses))
        self._excesses = excesses

    @property
    def members(self) -> dict[str, Any]:
        return {"quotas": [excess.model_dump(mode="json") for excess in self._excesses]}


class PricesRefused(ServiceError):
    """The prices cannot be set: {faults}."""

    code = "QUOTA.PRICES_REFUSED"
    status = HTTPStatus.BAD_REQUEST
    remedy = "`coverslip application list` shows what has a price. Nothing was changed."
