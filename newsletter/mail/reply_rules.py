"""The table of what mail servers say and what it means. `replies.read_reply` takes the first rule that matches.

The cases it was written from are in `tests/data/replies/`, each with the place where it was seen; `source` names the
files there, or the section that leaves no choice. A reply code alone says little: Gmail answers 550 to an address that
does not exist and to a sender who is too fast. The order therefore goes from the server as a whole by what is said of
us to what is said of the address, so that an address is given up only on a reply that is about nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

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


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One line of the table. It matches a reply whose code begins with `code` and whose text has one of `words`.

    `words` are regular expressions, blind to case; none means any text. `phases` None means at any step. The rest is
    what `replies.Decision` says of it.
    """

    reason: str
    source: str
    code: str
    words: tuple[str, ...] = ()
    phases: frozenset[Phase] | None = None
    verdict: Verdict
    reconnect: bool = False
    lane: bool = False
    refuse: bool = False
    policy: bool = False
    retry_after: float | None = None

    def matches(self, code: int, text: str, phase: Phase) -> bool:
        """Whether this is the rule for a reply at a step."""
        return (
            str(code).startswith(self.code)
            and (self.phases is None or phase in self.phases)
            and bool(self._pattern.search(text))
        )

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(self.words), re.IGNORECASE)


def _status(pattern: str) -> str:
    """An enhanced status code (RFC 3463), wherever it stands, and not a part of an IP address."""
    return rf"(?<![\d.]){pattern}(?!\.?\d)"


_BEFORE = frozenset({Phase.CONNECT, Phase.GREETING, Phase.EHLO, Phase.STARTTLS, Phase.AUTH})
_OF_SENDER = frozenset({Phase.MAIL})
_OF_RECIPIENT = frozenset({Phase.RCPT, Phase.DATA, Phase.BODY, Phase.DOT})

_LISTED = (
    "spam",
    "(black|block)[- ]?list",
    r"\bblocked\b",
    "reputation",
    r"\b(dns|r|s|x|p|uri|sur)bl\b",
    r"polic(y|ies)\b",
    "unsolicited",
    r"\b(spf|dkim|dmarc)\b",
    r"reverse dns|\brdns\b|\bptr\b",
    r"\bOFR_506\b",
)

# What a server calls mail that does not say, or cannot show, from whom it is.
_UNAUTHENTICATED = (
    _status(r"4\.7\.(2[3-79]|3[0-2])"),
    "unauthenticated",
    r"reverse dns|\brdns\b|\bptr\b",
    "reverse host ?name",
)

RULES = (
    # --- the connection -----------------------------------------------------------------------------------------------
    Rule(
        reason="connection used up",
        source="RFC 5321 section 4.5.4.1; GoDaddy, 163, OpenSMTPD, Yahoo",
        code="",
        words=(
            r"messages? (per|in this|on this|for this) (connection|session)\b",
            "too many messages sent$",
            r"\bMI:DMC\b",
        ),
        verdict=Verdict.UNSENT,
        reconnect=True,
    ),
    Rule(
        reason="our authentication, then reconnect",
        source="Gmail, Comcast, GoDaddy",
        code="421",
        words=_UNAUTHENTICATED,
        verdict=Verdict.UNSENT,
        reconnect=True,
        lane=True,
        policy=True,
    ),
    Rule(
        reason="slow down, then reconnect",
        source="Gmail, Yahoo, Outlook.com, iCloud, GMX, Orange, 163, Postfix, Sendmail, SES",
        code="421",
        words=(
            _status(r"4\.7\.[1-9]\d*"),
            r"\brate\b",
            r"too (many|much)",
            "throttl",
            "deferred",
            "unusual",
            "suspicious",
            "whitelist",
            "tls required",
            r"\bbusy\b",
            "concurrent connections",
            r"\[TSS?\d",
            r"\bRP-00\d",
            r"\bHL:[A-Z]{3}\b",
            r"\bOFR_?\d",
            *_LISTED,
        ),
        verdict=Verdict.UNSENT,
        reconnect=True,
        lane=True,
    ),
    Rule(
        reason="connection closing",
        source="RFC 5321 section 3.8",
        code="421",
        verdict=Verdict.UNSENT,
        reconnect=True,
    ),
    # --- our credentials ----------------------------------------------------------------------------------------------
    Rule(
        reason="credentials",
        source="RFC 4954 section 6; Exchange, SES, Zoho, OpenSMTPD",
        code="53",
        verdict=Verdict.UNSENT,
        refuse=True,
    ),
    Rule(
        reason="account",
        source="SendGrid, SES, Mail.ru, Gmail, Exchange",
        code="",
        words=(
            "smtp authentication (is )?required",
            "client was not authenticated",
            "invalid credentials for relay",
            "mail sending denied",
            "sending for this account is disabled",
            "sending (suspended|paused) for this account",
            "maximum credits exceeded",
            "unauthenticated senders not allowed",
        ),
        verdict=Verdict.UNSENT,
        refuse=True,
    ),
    Rule(
        reason="credentials",
        source="RFC 4954 section 4",
        code="5",
        phases=frozenset({Phase.AUTH}),
        verdict=Verdict.UNSENT,
        refuse=True,
    ),
    Rule(
        # Nothing was offered yet, so that no message and no address can be to blame.
        reason="not let in",
        source="RFC 5321 section 3.1; GMX, T-Online, Orange, Comcast, iCloud, Proofpoint",
        code="",
        phases=_BEFORE,
        verdict=Verdict.UNSENT,
        reconnect=True,
        lane=True,
    ),
    # --- how much we send ---------------------------------------------------------------------------------------------
    Rule(
        reason="this reader gets too much",
        source="Outlook.com, Yandex",
        code="",
        words=(_status(r"[45]\.2\.122"), "recipient has exceeded"),
        phases=_OF_RECIPIENT,
        verdict=Verdict.DEFERRED,
    ),
    Rule(
        reason="sending limit",
        source="Gmail, SES, SendGrid, Mimecast, Sendmail",
        code="",
        words=(
            _status(r"[45]\.4\.5"),
            r"\bsending .{0,20}(rate|limit|quota)",
            r"\brelay (sending )?(limit|quota)",
            "outbound thread limit",
            "throttl",
        ),
        verdict=Verdict.DEFERRED,
        lane=True,
    ),
    Rule(
        reason="mailbox full",
        source="RFC 3463 section 3.3; Gmail, iCloud, Yandex, Orange, Comcast, web.de, Free",
        code="",
        words=(
            _status(r"[45]\.2\.2"),
            "over ?quota",
            "quota (is )?(full|exceeded|violation)",
            "mailbox.{0,20} full",
            "exceeded storage allocation",
            "exhausted allowed storage",
            "too many messages on the server",
        ),
        phases=_OF_RECIPIENT,
        verdict=Verdict.DEFERRED,
    ),
    Rule(
        reason="message too large",
        source="RFC 1870 section 6; Gmail, Exchange, Postfix",
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
    Rule(
        reason="greylisted",
        source="RFC 6647 section 4.1; Postfix, Barracuda, ZeroSpam, Zoho",
        code="4",
        words=("gr[ae]y[- ]?list",),
        verdict=Verdict.DEFERRED,
        retry_after=300,
    ),
    Rule(
        reason="rate",
        source="Gmail, Yahoo, QQ, 163, GoDaddy, Rackspace, SendGrid",
        code="",
        words=(
            _status(r"[45]\.5\.3"),
            "rate[- ]?(limit|exceed)",
            "too (many|much|fast|quickly|frequent)(?! hops)",
            "frequency limited",
            "at a rate",
            "unusual rate",
            r"\bMI:SFQ\b",
        ),
        verdict=Verdict.DEFERRED,
        lane=True,
    ),
    # --- who we are. Many servers refuse a sender only at RCPT. -------------------------------------------------------
    Rule(
        reason="sender",
        source="RFC 3463 section 3.2; Postfix, Exim, qmail, Sendmail, SES, SendGrid, Zoho",
        code="5",
        words=(
            _status(r"5\.1\.[78]"),
            "sender( address)?:? (rejected|unknown|denied|not allowed)",
            "sender verify failed",
            "not owned by user",
            "address is not verified",
            "verified sender identity",
            "relaying disallowed as",
            "badmailfrom",
        ),
        verdict=Verdict.UNSENT,
        refuse=True,
    ),
    Rule(
        reason="sender",
        source="SendGrid",
        code="403",
        verdict=Verdict.UNSENT,
        refuse=True,
    ),
    Rule(
        reason="sender",
        source="RFC 5321 section 3.3; Postfix",
        code="5",
        phases=_OF_SENDER,
        verdict=Verdict.UNSENT,
        refuse=True,
    ),
    Rule(
        # A relay that does not know us refuses every recipient like this, and none of them is to blame.
        reason="relaying denied",
        source="Postfix, Exim, qmail, Exchange, Mimecast, Proofpoint, Yahoo",
        code="",
        words=(
            "relay(ing)? (access )?(is )?(denied|not (permitted|allowed))",
            "unable to relay",
            "list of allowed rcpthosts",
        ),
        verdict=Verdict.DEFERRED,
        lane=True,
        policy=True,
    ),
    # --- what we send -------------------------------------------------------------------------------------------------
    Rule(
        # Refused in the name of policy, and yet about one reader: the others hear nothing of it.
        reason="policy of this reader",
        source="Postfix, Proofpoint, Mimecast, Mail.ru, Exchange",
        code="5",
        words=(
            _status(r"5\.7\.\d+") + ".{0,80}recipient address rejected: (access denied|user |not in )",
            _status(r"5\.7\.\d+") + ".{0,80}(no such user|target address|for group)",
            "envelope blocked - user entry",
        ),
        phases=_OF_RECIPIENT,
        verdict=Verdict.REJECTED,
        lane=True,
    ),
    Rule(
        reason="policy",
        source="RFC 3463 section 3.8; Gmail, Outlook.com, Exchange, servers that ask Spamhaus, every other",
        code="5",
        words=(_status(r"5\.7\.\d+"), *_LISTED),
        verdict=Verdict.REJECTED,
        lane=True,
        policy=True,
    ),
    # --- the address --------------------------------------------------------------------------------------------------
    Rule(
        reason="no such address",
        source="RFC 3463 section 3.2, RFC 7505 section 4.1; every other",
        code="5",
        words=(
            _status(r"5\.1\.([1236]|10)"),
            # Exchange Online with a directory at its edge: the recipient is not in it.
            _status(r"5\.4\.1") + ".{0,80}recipient address rejected: access denied",
            "(mailbox|account)[^.;]{0,60} (inactive|disabled|deactivated|closed)",
            "(user|mailbox|recipient|address|account)[^.;]{0,60} (unknown|not found|does(n't| not) exist)",
            r"\S@\S+ is no longer valid",
            "(unknown|no such) (local )?(user|mailbox|recipient|address|person|part)",
            "invalid (recipient|mailbox)",
            "no mailbox here",
            "unrouteable address",
            "not listed in domino directory",
            "does(n't| not) have an? .{1,40} account",
        ),
        phases=_OF_RECIPIENT,
        verdict=Verdict.SUPPRESS,
    ),
    Rule(reason="for good", source="RFC 5321 section 4.2.1", code="5", verdict=Verdict.REJECTED),
    # --- for now ------------------------------------------------------------------------------------------------------
    Rule(
        reason="our authentication",
        source="Gmail, Rackspace",
        code="4",
        words=_UNAUTHENTICATED,
        verdict=Verdict.DEFERRED,
        lane=True,
        policy=True,
    ),
    Rule(
        reason="our reputation",
        source="Gmail, Outlook.com, servers that ask Spamhaus, GMX, Mimecast",
        code="4",
        words=(_status(r"4\.7\.\d+"), *_LISTED),
        verdict=Verdict.DEFERRED,
        lane=True,
    ),
    Rule(
        reason="server in trouble",
        source="RFC 3463 section 3.4; Postfix, Gmail, qmail",
        code="4",
        words=(_status(r"4\.3\.\d+"),),
        verdict=Verdict.DEFERRED,
        lane=True,
    ),
    Rule(
        reason="for now, whoever reads it",
        source="RFC 5321 section 4.2.1",
        code="4",
        phases=_OF_SENDER,
        verdict=Verdict.DEFERRED,
        lane=True,
    ),
    Rule(reason="for now", source="RFC 5321 section 4.2.1", code="4", verdict=Verdict.DEFERRED),
)
