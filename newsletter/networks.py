"""Which addresses strangers may make us connect to: public ones, and those of networks that the operator allows.

A feed's address, what it redirects to, or the mail server of a reader's domain may be the operator's own router or a
cloud's metadata service. Names and unusual spellings (octal, decimal, rebinding names) make text no ground to judge on;
the address that is connected to is.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

Network = IPv4Network | IPv6Network
AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]

# The IANA special-purpose registries, spelled out: `ipaddress.is_global` of Python 3.11 calls 192.0.0.8, 224.0.0.1,
# 2002:7f00:1:: and 64:ff9b::7f00:1 global.
_DENIED_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "169.254.0.0/16",  # link local; cloud metadata
        "172.16.0.0/12",
        "192.0.0.0/24",  # IETF protocol assignments
        "192.0.2.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_UNICAST_V6 = IPv6Network("2000::/3")  # all that is assigned for global unicast (RFC 4291 section 2.4)
_DENIED_V6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # IETF protocol assignments, Teredo
        "2001:db8::/32",
        "2002::/16",  # 6to4: carries any IPv4 address
        "3fff::/20",
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are the IPv4 address that is reached


@dataclass(frozen=True, slots=True)
class Guard:
    """Lets sockets reach public addresses and those inside the networks of `allow`."""

    allow: tuple[Network, ...] = ()

    def socket(self, info: AddressInfo) -> socket.socket:
        """A socket for one result of getaddrinfo. PermissionError, before there is a socket, when it is refused."""
        family, kind, protocol, _, address = info
        if complaint := self.complaint(str(address[0])):
            raise PermissionError(errno.EACCES, complaint)
        return socket.socket(family=family, type=kind, proto=protocol)

    def complaint(self, address: str) -> str:
        """Why a connection to a numeric address is refused, and what to do about it; empty when it is not."""
        try:
            reached = _reached(ip_address(address))
        except ValueError:
            return f"{address} is no address of the internet"
        if _is_inside(reached, self.allow) or _is_public(reached):
            return ""
        return f"{address} is a private address; add its network to NEWSLETTER_ALLOW_NETWORKS to connect to it"


def _reached(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address):
        return address in _UNICAST_V6 and address.is_global and not _is_inside(address, _DENIED_V6)
    return address.is_global and not _is_inside(address, _DENIED_V4)


def _is_inside(address: IPv4Address | IPv6Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)
