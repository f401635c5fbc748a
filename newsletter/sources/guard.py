"""Which addresses may be fetched: judged once as text, and again at the socket as what is really connected to.

A feed address, or what it redirects to, may name the operator's own router or a cloud's metadata service. Names and
unusual spellings (octal, decimal, rebinding names) make text no ground to judge on; the address of the socket is.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

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
        return f"{address} is a private address; add its network to NEWSLETTER_ALLOW_NETWORKS to fetch from it"


def url_complaint(url: str) -> str:
    """Why an address cannot be fetched whatever it leads to; empty when it can. Never repeats a password."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "not a valid address"
    if parts.scheme not in {"http", "https"}:
        return (
            f"only http and https addresses are fetched, not '{parts.scheme}'" if parts.scheme else "no https:// in it"
        )
    if parts.username is not None or parts.password is not None:
        return "addresses with a user name or password in them are not fetched"
    if not host:
        return "it names no host"
    return ""


def shown(url: str) -> str:
    """An address fit for reports: without what may be secret (user, query) and without control characters."""
    address, _, _ = url.partition("?")
    scheme, separator, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    plain = scheme + separator + host.rpartition("@")[2] + slash + path
    return "".join(character for character in plain if character.isprintable())[:500]


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
