"""Connections to public addresses only, checked for the very address that is connected to.

A name is resolved once, every address it has is checked, and the connection goes to a checked one: a name that
resolves to something else a moment later (DNS rebinding) gains nothing. Redirects pass through here again.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable

import httpx

from coverslip.contract.errors import CoverslipError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefused(CoverslipError):
    """The host {host} has the address {address}, which is not public and not allowed."""

    code = "FETCH.ADDRESS_REFUSED"


class AllowList:
    """Hosts and networks that may be fetched from although they are not public.

    Parameters
    ----------
    entries
        Host names, addresses, or networks in CIDR notation.
    """

    def __init__(self, entries: Iterable[str]) -> None:
        self._hosts: set[str] = set()
        self._networks: list[Network] = []
        for entry in entries:
            try:
                self._networks.append(ipaddress.ip_network(entry, strict=False))
            except ValueError:
                self._hosts.add(entry.lower())

    def permits(self, host: str, address: Address) -> bool:
        """Whether ``host``, which resolves to ``address``, may be connected to."""
        embedded = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        address = embedded or address
        if host.lower() in self._hosts or any(address in network for network in self._networks):
            return True
        return address.is_global and not address.is_multicast


class GuardedTransport(httpx.AsyncBaseTransport):
    """Connects only where an ``AllowList`` permits.

    Raises, for a request elsewhere, ``AddressRefused``.
    """

    def __init__(self, allowed: AllowList) -> None:
        self._allowed = allowed
        self._inner = httpx.AsyncHTTPTransport(retries=0)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        address = await self._checked_address(host, request.url.port or 443)
        request.extensions["sni_hostname"] = host
        request.url = request.url.copy_with(host=str(address))
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _checked_address(self, host: str, port: int) -> Address:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpx.ConnectError(f"the host name {host} cannot be resolved") from error
        addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
        for address in addresses:
            if not self._allowed.permits(host, address):
                raise AddressRefused(host=host, address=address)
        return addresses[0]
