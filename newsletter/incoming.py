"""A mail that came to the domain of bounces: who asks by mail to leave has left.

Only the signed token in the subject counts, as our own mails put it there (`List-Unsubscribe: <mailto:…?subject=…>`,
RFC 2369): whoever the mail is from, and whatever else it says. Nothing is ever answered, so no two robots can write to
each other for ever.
"""

from __future__ import annotations

import re
from datetime import datetime
from email import message_from_bytes, policy

from newsletter import consent
from newsletter.errors import LinkError
from newsletter.links import Claim, Links, Purpose
from newsletter.store import Store

MOST = 1_000_000  # bytes that are looked at of a mail: its subject stands before them

_WORD = re.compile(r"[A-Za-z0-9_.-]{20,}")
_WORDS = 5  # a subject may have others: "Re:", "[SPAM?]", a name


def asked_to_leave(mail: bytes, links: Links) -> Claim | None:
    """Whose subscription a mail asks to end; None where its subject has no token that we signed for leaving."""
    subject = str(message_from_bytes(mail[:MOST], policy=policy.compat32).get("Subject", ""))
    # A header of one long word may be folded within it.
    for words in (_WORD.findall(subject), _WORD.findall("".join(subject.split()))):
        for word in words[:_WORDS]:
            try:
                return links.read(Purpose.UNSUBSCRIBE, word)
            except LinkError:
                continue
    return None


def receive(mail: bytes, *, store: Store, links: Links, now: datetime) -> str:
    """Do what a mail asks for; what was done, in a line for the log of the mail server."""
    claim = asked_to_leave(mail, links)
    if claim is None:
        return "nothing to do: no link to leave in the subject"
    left = consent.leave(store, claim, network="mail", now=now)
    return f"subscriber {claim.subscriber} {'left' if left else 'had left'} {claim.newsletter}"
