"""What a reply of a mail server means: for the message, for the address, for the connection, for us.

Everything here is pure. The table is read top down and the first rule that matches decides; the cases it was written
from are in `tests/data/replies/`, to which anyone can add. A reply code alone says little: Gmail answers 550 to an
address that does not exist and to a sender who is too fast.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from newsletter.model import Verdict


class Phase(StrEnum):
    """The steps of an SMTP conversation. At `body` some of the message is still here; at `dot` all of it has left."""

    CONNECT = "connect"
    GREETING = "greeting"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    RSET = "rset"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    DOT = "dot"
    QUIT = "quit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do about a reply.

    `reconnect`: this connection is of no further use. `lane`: it is about how much or what we send to this server;
    slow down. `refuse`: our credentials or our sender are not accepted, so no message can go out. `retry_after` is
    in seconds. `reason` names the rule.
    """

    verdict: Verdict
    reason: str
    reconnect: bool = False
    lane: bool = False
    refuse: bool = False
    retry_after: float | None = None

    @property
    def again(self) -> bool:
        """Whether the same message may be offered at once on another connection."""
        return self.verdict is Verdict.UNSENT and self.reconnect and not (self.lane or self.refuse)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of the table. It matches a reply whose code begins with `code` and whose text has one of `words`.

    `words` are regular expressions, blind to case; none means any text. `phases` None means at any step.
    """

    reason: str
    code: str
    words: tuple[str, ...] = ()
    phases: frozenset[Phase] | None = None
    verdict: Verdict
    reconnect: bool = False
    lane: bool = False
    refuse: bool = False
    retry_after: float | None = None

    def matches(self, code: int, text: str, phase: Phase) -> bool:
        """Whether this is the rule for a reply at a step."""
        return (
            str(code).startswith(self.code)
            and (self.phases is None or phase in self.phases)
            and bool(re.search("|".join(self.words), text, re.IGNORECASE))
        )


def _status(pattern: str) -> str:
    """An enhanced status code (RFC 3463), wherever it stands, and not a part of an IP address."""
    return rf"(?<![\d.]){pattern}(?!\.?\d)"


_OF_SENDER = frozenset({Phase.MAIL})
_OF_RECIPIENT = frozenset({Phase.RCPT, Phase.DATA, Phase.BODY, Phase.DOT})

# Texts are those of Postfix, Exim, qmail, Exchange, Gmail, Yahoo, Outlook.com and SES.
RULES = (
    # The whole server, whatever the step.
    Rule(
        reason="slow down, then reconnect",
        code="421",
        words=(
            _status(r"4\.7\.[1-9]\d*"),
            r"\brate\b",
            r"too (many|much)",
            "throttl",
            "deferred",
            "unusual",
            "reputation",
            r"\[TSS?\d",
        ),
        verdict=Verdict.UNSENT,
        reconnect=True,
        lane=True,
    ),
    Rule(reason="connection closing", code="421", verdict=Verdict.UNSENT, reconnect=True),
    Rule(reason="credentials", code="530", verdict=Verdict.UNSENT, refuse=True),
    Rule(reason="credentials", code="534", verdict=Verdict.UNSENT, refuse=True),
    Rule(reason="credentials", code="535", verdict=Verdict.UNSENT, refuse=True),
    Rule(reason="credentials", code="538", verdict=Verdict.UNSENT, refuse=True),
    Rule(
        reason="credentials",
        code="5",
        words=("smtp authentication (is )?required", "client was not authenticated"),
        verdict=Verdict.UNSENT,
        refuse=True,
    ),
    Rule(
        reason="message too large",
        code="5",
        words=(
            _status(r"5\.3\.4"),
            _status(r"5\.2\.3"),
            "message.{0,20} too (large|big)",
            "(message|fixed maximum).{0,20} size",
            "size.{0,20} exceed",
        ),
        verdict=Verdict.REJECTED,
    ),
    # How much we send.
    Rule(
        reason="sending limit",
        code="",
        words=(_status(r"[45]\.4\.5"), r"\bsending .{0,20}(rate|limit|quota)", "throttl"),
        verdict=Verdict.DEFERRED,
        lane=True,
    ),
    Rule(
        reason="mailbox full",
        code="",
        words=(
            _status(r"[45]\.2\.2"),
            "over ?quota",
            "quota (is )?(full|exceeded)",
            "mailbox.{0,20} full",
            "exceeded storage allocation",
        ),
        phases=_OF_RECIPIENT,
        verdict=Verdict.DEFERRED,
    ),
    Rule(
        reason="greylisted",
        code="4",
        words=("gr[ae]y[- ]?list",),
        verdict=Verdict.DEFERRED,
        retry_after=300,  # RFC 6647 section 4.1
    ),
    Rule(
        reason="rate",
        code="",
        words=(
            _status(r"[45]\.5\.3"),
            "rate[- ]?(limit|exceed)",
            "too (many|much|fast|quickly)(?! hops)",
            "at a rate",
            "unusual rate",
        ),
        verdict=Verdict.DEFERRED,
        lane=True,
    ),
    # Who we are. Many servers refuse a sender only at RCPT.
    Rule(
        reason="sender",
        code="5",
        words=(
            _status(r"5\.1\.[78]"),
            "sender( address)?:? (rejected|unknown|denied|not allowed)",
            "not owned by user",
            "address is not verified",
        ),
        verdict=Verdict.UNSENT,
        refuse=True,
    ),
    Rule(reason="sender", code="5", phases=_OF_SENDER, verdict=Verdict.UNSENT, refuse=True),
    Rule(
        # A relay that does not know us refuses every recipient like this, and none of them is to blame.
        reason="relaying denied",
        code="",
        words=("relay(ing)? (access )?(is )?(denied|not (permitted|allowed))", "unable to relay"),
        verdict=Verdict.DEFERRED,
        lane=True,
    ),
    # What we send. Before the rule for addresses: an address is suppressed only on a reply that is about nothing else.
    Rule(
        reason="policy",
        code="5",
        words=(
            _status(r"5\.7\.\d+"),
            "spam",
            "(black|block) ?list",
            r"\bblocked\b",
            "reputation",
            r"\b(dns|r|s|x|p|uri|sur)bl\b",
            "policy",
            "unsolicited",
        ),
        verdict=Verdict.REJECTED,
        lane=True,
    ),
    Rule(
        reason="no such address",
        code="5",
        words=(
            _status(r"5\.1\.([1236]|10)"),
            "(mailbox|account)[^.;]{0,60} (inactive|disabled|deactivated|closed)",
            "(user|mailbox|recipient|address)[^.;]{0,60} (unknown|not found|does(n't| not) exist)",
            "(unknown|no such) (local )?(user|mailbox|recipient|address|person)",
            "invalid (recipient|mailbox)",
            "no mailbox here",
            "does(n't| not) have an? .{1,40} account",
        ),
        phases=_OF_RECIPIENT,
        verdict=Verdict.SUPPRESS,
    ),
    Rule(reason="for good", code="5", verdict=Verdict.REJECTED),
    Rule(
        reason="our authentication or reputation",
        code="4",
        words=(_status(r"4\.7\.\d+"),),
        verdict=Verdict.DEFERRED,
        lane=True,
    ),
    Rule(reason="server in trouble", code="4", words=(_status(r"4\.3\.\d+"),), verdict=Verdict.DEFERRED, lane=True),
    Rule(reason="for now", code="4", phases=_OF_SENDER, verdict=Verdict.DEFERRED, lane=True),
    Rule(reason="for now", code="4", verdict=Verdict.DEFERRED),
)

_WAIT = re.compile(
    r"\b(?:in|after|for|wait|least)\s+(\d{1,6})\s*(s|m|h)(?:ec|ecs|econds?|ins?|inutes?|rs?|ours?)?\b", re.IGNORECASE
)
_SECONDS = {"s": 1, "m": 60, "h": 3600}
LONGEST_WAIT = 86_400.0


def goes_on(code: int, *, phase: Phase) -> bool:
    """Whether the step is done and the next may follow. Any 2xx will do (252 to RCPT too), but DATA needs its 354."""
    return code == 354 if phase is Phase.DATA else 200 <= code <= 299  # noqa: PLR2004 (RFC 5321 section 4.2)


def read_reply(code: int, text: str, *, phase: Phase) -> Decision:
    """Judge the reply that ended a transaction: one that did not let it go on, or the one to the final dot.

    `text` is without the code. Code 0 stands for the absence of an intelligible reply: connection cut, time over,
    garbage. After the final dot that leaves it open whether the message was taken; before, it surely was not. A refused
    RSET says nothing about the message that was to follow.
    """
    if phase is Phase.DOT and goes_on(code, phase=phase):
        return Decision(verdict=Verdict.SENT, reason="taken")
    if not 400 <= code <= 599 or phase is Phase.RSET:  # noqa: PLR2004 (RFC 5321 section 4.2)
        verdict = Verdict.UNCERTAIN if phase is Phase.DOT else Verdict.UNSENT
        return Decision(verdict=verdict, reason="no intelligible reply", reconnect=True)
    return next(_decision(rule, text) for rule in RULES if rule.matches(code, text, phase))


def _decision(rule: Rule, text: str) -> Decision:
    later = rule.verdict in {Verdict.DEFERRED, Verdict.UNSENT}
    return Decision(
        verdict=rule.verdict,
        reason=rule.reason,
        reconnect=rule.reconnect,
        lane=rule.lane,
        refuse=rule.refuse,
        retry_after=(_wait(text) or rule.retry_after) if later else None,
    )


def _wait(text: str) -> float | None:
    match = _WAIT.search(text)
    return min(float(match[1]) * _SECONDS[match[2].lower()], LONGEST_WAIT) if match else None
