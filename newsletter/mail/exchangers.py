"""Which mail servers take the mail of a domain (RFC 5321 section 5.1), as the DNS has it.

MX by preference -> none: the domain's own address (implicit MX) -> a lone `.`: it takes no mail (RFC 7505)

A CNAME is followed. Answers are kept as long as their TTL says, for all lookups of a process.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import dns.asyncresolver
import dns.exception
import dns.resolver

from newsletter.errors import SendError

LIFETIME = 10.0  # seconds for one lookup, all name servers and repetitions of it
_KEPT = 20_000  # answers
_NULL = "."


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """The hosts that take a domain's mail, best first; or why there are none.

    `refusal` is a reply as a server would give it, code and text: it is so for good. `trouble` says why it is not known
    now.
    """

    hosts: tuple[str, ...] = ()
    refusal: tuple[int, str] | None = None
    trouble: str = ""


class Exchangers:
    """Looks up mail servers and their addresses."""

    def __init__(self, *, nameserver: str = "", port: int = 53, lifetime: float = LIFETIME) -> None:
        """At a name server's address; by default at those the system uses. SendError where it names none."""
        try:
            self._resolver = dns.asyncresolver.Resolver(configure=not nameserver)
        except dns.resolver.NoResolverConfiguration as error:
            raise SendError(
                "no name server is known here; resolver=127.0.0.1 in NEWSLETTER_SMTP_URL names one"
            ) from error
        if nameserver:
            self._resolver.nameservers = [nameserver]
            self._resolver.port = port
        self._resolver.lifetime = lifetime
        self._resolver.cache = dns.resolver.LRUCache(_KEPT)
        self._order = random.Random()  # noqa: S311  # spreads load, guards nothing
        self._turn: dict[str, float] = {}

    async def of(self, domain: str) -> Exchange:
        """The mail servers of a domain. Those of one preference are in an order of chance, the same for all domains."""
        try:
            answer = await self._resolver.resolve(domain, "MX", raise_on_no_answer=False, search=False)
        except dns.resolver.NXDOMAIN:
            return Exchange(refusal=(550, f"5.1.2 there is no domain {domain}"))
        except (dns.exception.DNSException, UnicodeError, OSError) as error:
            return Exchange(trouble=f"the mail servers of {domain} could not be looked up: {_why(error)}")
        found = sorted(
            (record.preference, self._chance(name), name)
            for record in answer.rrset or ()
            if (name := _text(record.exchange)) != _NULL
        )
        if found:
            return Exchange(hosts=tuple(name for _, _, name in found))
        if answer.rrset:
            return Exchange(refusal=(556, f"5.1.10 {domain} takes no mail (null MX, RFC 7505)"))
        return Exchange(hosts=(_text(answer.canonical_name),))

    async def addresses(self, host: str) -> Sequence[str]:
        """The addresses of a host, IPv4 first: ours of IPv6 more often has no name. None: not known now."""
        found: list[str] = []
        for kind in ("A", "AAAA"):
            try:
                answer = await self._resolver.resolve(host, kind, raise_on_no_answer=False, search=False)
            except (dns.exception.DNSException, UnicodeError, OSError):
                continue
            found += [record.address for record in answer.rrset or ()]
        return found

    def _chance(self, host: str) -> float:
        if len(self._turn) > _KEPT:
            self._turn.clear()
        return self._turn.setdefault(host, self._order.random())


def _text(name: object) -> str:
    return str(name).rstrip(".").lower() or _NULL


def _why(error: Exception) -> str:
    if isinstance(error, dns.exception.Timeout):
        return "no name server answers"
    if isinstance(error, dns.resolver.NoNameservers):
        return "no name server could say"
    return str(error) or type(error).__name__
