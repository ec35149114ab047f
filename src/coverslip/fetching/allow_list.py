"""Which addresses may be connected to: public ones, and those that the operator allows."""

import ipaddress
from collections.abc import Iterable
from typing import Annotated

from pydantic import BeforeValidator
from pydantic_settings import NoDecode

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# RFC 4291 section 2.4: what is global is given out of this block.
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
# RFC 6052 section 2.1: IPv4 as it is reached from networks that have only IPv6.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


AllowEntries = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""The type of the setting: host names, addresses and networks with commas between them."""


class AllowList:
    """Hosts and networks that may be connected to although they are not public.

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
        return host.lower() in self._hosts or self._has(address) or _is_public(address)

    def names(self, host: str) -> bool:
        """Whether the operator allows ``host``, a name or an address as it stands in a URL, by an entry of its own."""
        try:
            return self._has(_without_wrapping(ipaddress.ip_address(host)))
        except ValueError:
            return host.lower() in self._hosts

    def _has(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


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
