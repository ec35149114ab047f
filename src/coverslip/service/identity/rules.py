"""What may happen when somebody signs in."""

import hmac
from datetime import timedelta
from hashlib import sha256
from typing import Literal

from joserfc.util import urlsafe_b64encode

EMBEDDED_ISSUER = "coverslip"
"""The issuer under which accounts of the embedded issuer are kept, whatever address the service has."""

LINK_LIFETIME = timedelta(hours=24)
DEVICE_CODE_LIFETIME = timedelta(minutes=10)
DEVICE_POLL_INTERVAL_S = 2

CODE_LIFETIME = timedelta(seconds=60)
"""RFC 6749, section 4.1.2, allows at most ten minutes; a program redeems its code at once."""

CHOICE_LIFETIME = timedelta(minutes=5)
"""How long a person may take to choose an organization."""

CODE_MEMORY = timedelta(days=1)
"""For so long after its end a code that comes again ends the session that it gave."""

FAILURE_WINDOW = timedelta(minutes=15)
MAX_FAILURES = 5
"""An account refuses passwords after this many wrong ones within the window."""

SPENT_MEMORY = timedelta(days=7)
"""Links, codes, sessions and wrong passwords that have lost their meaning are kept so long for whoever looks into what
happened; longer than anything here looks back."""

LinkPurpose = Literal["setup", "login"]


def is_throttled(recent_failures: int) -> bool:
    """Whether an account has seen too many wrong passwords of late."""
    return recent_failures >= MAX_FAILURES


def proves(code_verifier: str, code_challenge: str) -> bool:
    """Whether a verifier is the one that its challenge was made of (RFC 7636, section 4.6)."""
    made = urlsafe_b64encode(sha256(code_verifier.encode()).digest())
    return hmac.compare_digest(made, code_challenge.encode())
