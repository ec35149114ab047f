"""Connections to public addresses only, checked for the very address that is connected to.

A name is resolved once, every address it has is checked, and the connection goes to a checked one: a name that
resolves to something else a moment later (DNS rebinding) gains nothing. Redirects pass through here again.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable

import httpcore
import httpx

from coverslip.contract.errors import CoverslipError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# RFC 4291 section 2.4: what is global is given out of this block.
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
# RFC 6052 section 2.1: IPv4 as it is reached from networks that have only IPv6.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


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
        address = _without_wrapping(address)
        if host.lower() in self._hosts or any(address in network for network in self._networks):
            return True
        return _is_public(address)


def _without_wrapping(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address


def _is_public(address: Address) -> bool:
    if not address.is_global or address.is_multicast:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return True
    # Tunnels (RFC 3056, RFC 4380) are history, and lead wherever the IPv4 address in them says.
    return address in _GLOBAL_UNICAST and address.sixtofour is None and address.teredo is None


class GuardedTransport(httpx.AsyncHTTPTransport):
    """Connects only where an ``AllowList`` permits.

    Raises, for a request elsewhere, ``AddressRefused``.
    """

    def __init__(self, allowed: AllowList) -> None:
        # Of all that httpx sets up here, the pool is what requests go through, and only httpcore's own takes a backend.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(), keepalive_expiry=5, network_backend=_GuardedBackend(allowed)
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
