"""Faults on purpose: what the built-in mail server does wrong, how often and to whom. Pure.

    421@10%                             one message in ten is answered 421 after its final dot
    rcpt:550 5.1.1 no such user@5%      one recipient in twenty is refused
    rcpt:550@bad*@example.org           these recipients are, each time
    cut@2%                              the message is kept, and the connection cut before the reply
    stall@1%                            the message is kept, and no reply comes

`[PHASE:]WHAT@HOW-OFTEN` or `[PHASE:]WHAT@ADDRESS`. Which messages are hit follows from a seed and the addresses, not
from the order in which connections come, so that a run can be repeated.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from hashlib import blake2b

CONNECT, MAIL, RCPT, DATA = PHASES = ("connect", "mail", "rcpt", "data")
CUT, STALL = "cut", "stall"

# What is said with a code that comes alone: the commonest words of servers for it.
_USUAL = {
    421: "4.3.2 try again later",
    450: "4.2.0 mailbox busy, try again later",
    451: "4.3.0 local error, try again later",
    452: "4.3.1 out of storage, try again later",
    550: "5.1.1 no such user",
    552: "5.2.2 mailbox is full",
    554: "5.7.1 message refused",
}
_FAULT = re.compile(r"(?:([A-Za-z]+):)?(.*)@(?:(\d{1,3}(?:\.\d{1,3})?)%|([^@\s%]+@[^@\s]+))")
_REPLY = re.compile(r"([45]\d\d)(?: ([245]\.\d{1,3}\.\d{1,3}))?(?: (.+))?")
_LONGEST = 400  # characters; a reply line has at most 512 octets (RFC 5321 section 4.5.3.1.5)
_DRAWS = 2**64


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One rule. `what` is CUT, STALL or a whole reply; it hits `percent` of the cases, or the addresses like `to`."""

    what: str
    phase: str = DATA
    percent: Decimal | None = None
    to: str = ""

    def __str__(self) -> str:
        """As `parse_fault` reads it."""
        phase = "" if self.phase == DATA else f"{self.phase}:"
        return f"{phase}{self.what}@{self.to or f'{self.percent}%'}"


def parse_fault(text: str) -> Fault:
    """The fault that is written so; a code alone gets its usual words. ValueError says what is wrong and what to do."""
    found = _FAULT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} does not say how often or for whom: write 421@10%, or rcpt:550@bad*@example.org")
    phase, what, percent, to = found[1] or DATA, found[2], found[3], found[4] or ""
    if phase not in PHASES:
        near = difflib.get_close_matches(phase, PHASES, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"there is no phase {phase!r}: it is one of {', '.join(PHASES)}{hint}")
    if percent is not None and not 0 < Decimal(percent) <= 100:  # noqa: PLR2004  # percent
        raise ValueError(f"{percent}% of {text!r} is not above 0 % and at most 100 %")
    if to and phase in {CONNECT, MAIL}:
        raise ValueError(f"no recipient is known at {phase}: use rcpt or data for {to}, or say how often")
    return Fault(what=_what(what), phase=phase, percent=None if percent is None else Decimal(percent), to=to)


def _what(text: str) -> str:
    if text in {CUT, STALL}:
        return text
    found = _REPLY.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no failure: write a code from 400 to 599, with words if you like, cut or stall")
    code, enhanced, words = found.groups()
    if enhanced and enhanced[0] != code[0]:
        raise ValueError(f"{enhanced} contradicts {code}: both begin with 4 (for now) or with 5 (for good)")
    if not (text.isascii() and text.isprintable() and len(text) <= _LONGEST):
        raise ValueError(f"{text[:40]!r} cannot be a reply: at most {_LONGEST} printable ASCII characters")
    if not enhanced and not words:
        return f"{code} {_USUAL.get(int(code), f'{code[0]}.0.0 fault on purpose')}"
    return text


class Faults:
    """Rules, of which the first that hits counts, and what they have done so far."""

    def __init__(self, faults: Sequence[Fault] = (), *, seed: int = 0) -> None:
        self.faults = tuple(faults)
        self.hits: Counter[Fault] = Counter()
        self._seed = seed
        self._times: Counter[tuple[str, str]] = Counter()

    def hit(self, phase: str, addresses: Iterable[str] = ()) -> str | None:
        """What goes wrong now: CUT, STALL or a reply. None when nothing does.

        `addresses` are the sender at `mail`, the recipients at `rcpt` and `data`. The same addresses come to the same
        end in every run with this seed, the first time they are seen, the second, and so on.
        """
        rules = [fault for fault in self.faults if fault.phase == phase]
        if not rules:
            return None
        case = sorted(address.lower() for address in addresses)
        key = (phase, "\n".join(case))
        self._times[key] += 1
        for fault in rules:
            if self._is_hit(fault, case, f"{key}{self._times[key]}"):
                self.hits[fault] += 1
                return fault.what
        return None

    def _is_hit(self, fault: Fault, case: Sequence[str], occasion: str) -> bool:
        if fault.percent is None:
            like = fault.to.lower().replace("[", "[[]")
            return any(fnmatchcase(address, like) for address in case)
        drawn = blake2b(f"{self._seed} {fault} {occasion}".encode(errors="surrogateescape"), digest_size=8).digest()
        return int.from_bytes(drawn) * 100 < fault.percent * _DRAWS
