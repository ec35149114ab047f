"""The HTTP client that fetches slides."""

import httpx

from coverslip.fetching.allow_list import AllowList
from coverslip.fetching.guard import guarded_client


def slides_client(allowed: AllowList) -> httpx.AsyncClient:
    """Fetches slides from addresses that users gave."""
    return guarded_client(allowed, httpx.Timeout(10, read=30))
