"""Which servers take a domain's mail, asked of a real name server."""

from __future__ import annotations

import asyncio

import pytest

from newsletter.mail.exchangers import Exchange, Exchangers
from tests.names import BROKEN, SILENT, Records, open_names

WORLD: Records = {
    "example.org": {"MX": ["20 second.example.org.", "10 First.Example.ORG.", "30 third.example.net."]},
    "one.example": {"MX": ["10 ."], "A": ["192.0.2.1"]},
    "both.example": {"MX": ["10 .", "20 mx.both.example."]},
    "plain.example": {"A": ["192.0.2.9"]},
    "alias.example": {"CNAME": ["example.org."]},
    "alias-of-plain.example": {"CNAME": ["plain.example."]},
    "empty.example": {"TXT": ['"nothing"']},
    "host.example": {"A": ["192.0.2.1", "192.0.2.2"], "AAAA": ["2001:db8::1"]},
    "broken.example": BROKEN,
    "silent.example": SILENT,
}


def ask(domain: str, *, lifetime: float = 5.0) -> Exchange:
    """What the name server's world says of a domain."""
    with open_names(WORLD) as names:
        exchangers = Exchangers(nameserver=names.host, port=names.port, lifetime=lifetime)
        return asyncio.run(exchangers.of(domain))


@pytest.mark.parametrize(
    ("domain", "hosts"),
    [
        ("example.org", ("first.example.org", "second.example.org", "third.example.net")),
        ("both.example", ("mx.both.example",)),
        ("plain.example", ("plain.example",)),  # implicit MX
        ("alias.example", ("first.example.org", "second.example.org", "third.example.net")),
        ("alias-of-plain.example", ("plain.example",)),
        ("empty.example", ("empty.example",)),
    ],
)
def test_the_servers_of_a_domain(domain: str, hosts: tuple[str, ...]) -> None:
    """Best preference first; without any MX the domain itself; a CNAME is followed."""
    assert ask(domain) == Exchange(hosts=hosts)


@pytest.mark.parametrize(("domain", "code"), [("one.example", 556), ("nowhere.example", 550)])
def test_domains_that_take_no_mail(domain: str, code: int) -> None:
    """A null MX (RFC 7505), and a domain that is none, are for good, whatever address the domain has."""
    exchange = ask(domain)

    assert exchange.hosts == ()
    assert exchange.refusal is not None
    assert exchange.refusal[0] == code
    assert domain in exchange.refusal[1]


@pytest.mark.parametrize("domain", ["broken.example", "silent.example", "a..b", "x" * 64 + ".example", "[192.0.2.1]"])
def test_what_is_not_known_now(domain: str) -> None:
    """A name server that fails or is silent, and a name that is none, refuse nobody for good."""
    exchange = ask(domain, lifetime=0.3)

    assert exchange.hosts == ()
    if "[" not in domain:
        assert domain in exchange.trouble


def test_addresses_of_a_host() -> None:
    """All of them, IPv4 first; none where there is no such host."""
    with open_names(WORLD) as names:
        exchangers = Exchangers(nameserver=names.host, port=names.port)
        *fourth, sixth = asyncio.run(exchangers.addresses("host.example"))
        assert (sorted(fourth), sixth) == (["192.0.2.1", "192.0.2.2"], "2001:db8::1")
        assert asyncio.run(exchangers.addresses("nowhere.example")) == []


@pytest.mark.parametrize(("ttl", "times"), [(300, 1), (0, 2)])
def test_answers_are_kept_as_long_as_they_say(ttl: int, times: int) -> None:
    """Asked again, the name server hears of it only when the answer's time is over."""
    with open_names(WORLD, ttl=ttl) as names:
        exchangers = Exchangers(nameserver=names.host, port=names.port)
        for _ in range(2):
            asyncio.run(exchangers.of("example.org"))

    assert names.asked["example.org", "MX"] == times


def test_servers_of_one_preference_share() -> None:
    """Which of two equal servers comes first is chance, and the same for all domains of one process."""
    equal = ["10 a.example.net.", "10 b.example.net."]
    world = {"one.example": {"MX": equal}, "two.example": {"MX": equal[::-1]}}
    first = set()
    with open_names(world) as names:
        for _ in range(40):
            exchangers = Exchangers(nameserver=names.host, port=names.port)
            one, two = (asyncio.run(exchangers.of(domain)) for domain in world)
            assert one == two
            first.add(one.hosts[0])
            if len(first) == 2:
                break

    assert first == {"a.example.net", "b.example.net"}
