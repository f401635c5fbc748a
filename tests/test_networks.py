from __future__ import annotations

import socket
from ipaddress import ip_network

import pytest

from newsletter.networks import Guard

PRIVATE = [
    "0.0.0.0",  # noqa: S104 - nothing is bound to it
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:10.0.0.1",
    "::ffff:7f00:1",
    "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:10::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00::1",
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "ff02::1",
    "4000::1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "172.15.0.1",
    "172.32.0.1",
    "192.0.1.1",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00::1",
    "64:ff9b::8.8.8.8",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_refused(address: str) -> None:
    """Every special-purpose range of the IANA registries is refused, also inside mapped and NAT64 addresses."""
    assert "is a private address; add its network to NEWSLETTER_ALLOW_NETWORKS" in Guard().complaint(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_not(address: str) -> None:
    """The rest of the internet can be reached."""
    assert Guard().complaint(address) == ""


def test_networks_of_the_owner_are_let_through() -> None:
    """An allowed network opens itself and no other, however the address is written."""
    guard = Guard((ip_network("192.168.1.0/24"), ip_network("fd00::/8")))
    for address in ("192.168.1.5", "::ffff:192.168.1.5", "fd00::1"):
        assert guard.complaint(address) == ""
    for address in ("192.168.2.5", "fe80::1", "127.0.0.1"):
        assert guard.complaint(address)


def test_a_refused_address_gets_no_socket() -> None:
    """The refusal comes as an error of the connection, before there is a socket."""
    info = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))
    with pytest.raises(PermissionError, match="127.0.0.1 is a private address"):
        Guard().socket(info)
    with Guard((ip_network("127.0.0.0/8"),)).socket(info) as allowed:
        assert allowed.family == socket.AF_INET


def test_what_is_no_internet_address_gets_no_socket() -> None:
    """A path of a local socket is no address."""
    assert "no address of the internet" in Guard().complaint("/run/docker.sock")
