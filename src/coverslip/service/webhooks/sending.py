"""Sending one message."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from coverslip import __version__
from coverslip.fetching.allow_list import AllowList
from coverslip.fetching.errors import AddressRefused
from coverslip.fetching.guard import guarded_client
from coverslip.service.webhooks.rules import fault_of_url
from coverslip.service.webhooks.signing import signature

_LONGEST_ERROR = 300

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Message:
    """What is sent: the same bytes under the same id, however often."""

    id: str
    body: bytes


@dataclass(frozen=True)
class Attempt:
    """How sending went. Of the answer only the status and how long to wait are looked at, never the body."""

    status_code: int | None
    duration_ms: int
    error: str | None
    retry_after_s: float | None = None

    @property
    def is_delivered(self) -> bool:
        return self.error is None


class _NotDelivered(Exception):
    """Its message is the reason."""


class Sender:
    """Posts messages to addresses that users gave.

    Parameters
    ----------
    allowed
        Hosts and networks that may be reached although they are not public.
    timeout_s
        Seconds for all of one attempt, from resolving the host to the status of the answer.
    """

    def __init__(self, allowed: AllowList, timeout_s: float) -> None:
        self.allowed = allowed
        self._timeout_s = timeout_s
        self._client = guarded_client(allowed, httpx.Timeout(timeout_s))

    async def close(self) -> None:
        """Close what connections are left."""
        await self._client.aclose()

    async def send(self, url: str, message: Message, secrets: Sequence[str]) -> Attempt:
        """Post ``message``, signed with each of ``secrets``. Redirects are not followed."""
        started_s = time.monotonic()
        status_code, error, retry_after_s = None, None, None
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await self._post(url, message, secrets)
            status_code, retry_after_s = response.status_code, _retry_after_s(response)
            error = _fault_of(response)
        except TimeoutError:
            error = f"it did not answer within {self._timeout_s:g} s"
        except AddressRefused as refused:
            # The operator may know what the name resolves to; the user may not.
            log.warning("%s", refused)
            error = "its host has an address that is not public; the operator can allow it by COVERSLIP_FETCH_ALLOW"
        except (httpx.HTTPError, httpx.InvalidURL, _NotDelivered) as failure:
            error = str(failure) or type(failure).__name__
        duration_ms = round((time.monotonic() - started_s) * 1000)
        return Attempt(status_code, duration_ms, error[:_LONGEST_ERROR] if error else None, retry_after_s)

    async def _post(self, url: str, message: Message, secrets: Sequence[str]) -> httpx.Response:
        # What was allowed when the webhook was registered may not be any more.
        if (fault := fault_of_url(url, self.allowed)) is not None:
            raise _NotDelivered(fault)
        timestamp_s = int(time.time())
        headers = {
            "content-type": "application/json",
            "user-agent": f"Coverslip/{__version__}",
            "webhook-id": message.id,
            "webhook-timestamp": str(timestamp_s),
            "webhook-signature": signature(message.id, timestamp_s, message.body, secrets),
        }
        request = self._client.build_request("POST", url, content=message.body, headers=headers)
        response = await self._client.send(request, stream=True)
        await response.aclose()
        return response


def _fault_of(response: httpx.Response) -> str | None:
    if response.is_success:
        return None
    if response.has_redirect_location:
        return f"it answered {response.status_code}; redirects are not followed, change the webhook's URL"
    return f"it answered {response.status_code}"


def _retry_after_s(response: httpx.Response) -> float | None:
    """What the header asks for in seconds (RFC 9110, section 10.2.3); a date is not heeded."""
    value = response.headers.get("retry-after", "")
    return float(value) if value.isascii() and value.isdigit() and len(value) < 10 else None
