"""What may happen when somebody signs in."""

from datetime import timedelta
from typing import Literal

EMBEDDED_ISSUER = "coverslip"
"""The issuer under which accounts of the embedded issuer are kept, whatever address the service has."""

LINK_LIFETIME = timedelta(hours=24)
DEVICE_CODE_LIFETIME = timedelta(minutes=10)
DEVICE_POLL_INTERVAL_S = 2

FAILURE_WINDOW = timedelta(minutes=15)
MAX_FAILURES = 5
"""An account refuses passwords after this many wrong ones within the window."""

LinkPurpose = Literal["setup", "login"]


def is_throttled(recent_failures: int) -> bool:
    """Whether an account has seen too many wrong passwords of late."""
    return recent_failures >= MAX_FAILURES
