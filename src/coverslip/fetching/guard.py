"""Connections to public addresses only, checked for the very address that is connected to.

A name is resolved once, every address it has is checked, and the connection goes to a checked one: a name that
resolves to something else a moment later (DNS rebinding) gains nothing. Redirects pass through here again.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpcore
import httpx

from coverslip.fetching.allow_list import Address, AllowList
from coverslip.fetching.errors import AddressRefused

LAST_PORT = 65535


def guarded_client(allowed: AllowList, timeout: httpx.Timeout) -> httpx.AsyncClient:
    """A client for addresses that users gave; it follows no redirects by itself.

    What one user's host sets as a cookie is not sent for another user.
    """
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    return httpx.AsyncClient(transport=GuardedTransport(allowed), timeout=timeout, cookies=no_cookies, trust_env=False)


class GuardedTransport(httpx.AsyncHTTPTransport):
    """Connects only where an ``AllowList`` permits.

    Raises, for a request elsewhere, ``AddressRefused``; for one to a port that does not exist, ``httpx.InvalidURL``.
    """

    def __init__(self, allowed: AllowList) -> None:
        # Of all that httpx sets up here, the pool is what requests go through, and only httpcore's own takes a backend.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_connections=None,  # who sends decides how much at once: in a queue here, one slow host would stop all
            keepalive_expiry=5,
            network_backend=_GuardedBackend(allowed),
        )


class _GuardedBackend(httpcore.AnyIOBackend):
    def __init__(self, allowed: AllowList) -> None:
        self._allowed = allowed

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        if port > LAST_PORT:
            raise httpx.InvalidURL(f"there is no port {port}")
        failure: Exception = httpcore.ConnectError(f"the host {host} has no address")
        for address in await self._checked_addresses(host, port, timeout):
            try:
                return await super().connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def _checked_addresses(self, host: str, port: int, timeout_s: float | None) -> list[Address]:
        try:
            async with asyncio.timeout(timeout_s):
                found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"the host name {host} was not resolved in time") from None
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"the host name {host} cannot be resolved") from error
        addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
        for address in addresses:
            if not self._allowed.permits(host, address):
                raise AddressRefused(host=host, address=address)
        return addresses
