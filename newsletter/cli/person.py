"""Why one person did, or did not, get the mail of a slot: in a sentence."""

from __future__ import annotations

from newsletter.cli.workspace import local
from newsletter.model import Slot, State
from newsletter.report import counted, hold_line
from newsletter.store import Store
from newsletter.store.deliveries import Line
from newsletter.store.issues import PUBLISHED, Decided


def answer(store: Store, slot: Slot, email: str) -> str:
    """What became of this address in this slot, and why."""
    decided = store.issues.find(slot)
    if decided is None:
        return f"{email}: the slot is not decided yet, so nobody got anything"
    if decided.state != PUBLISHED:
        return f"{email}: there was no issue for anybody: {decided.reason}"
    subscriber = store.subscribers.find(email)
    if subscriber is None:
        return f"{email}: nobody of that address is known"
    line = store.deliveries.of(decided.id, subscriber)
    if line is None:
        return f"{email}: {_missing(store, subscriber, decided)}"
    hold = store.holds.get(decided.id) if line.state in (State.QUEUED, State.DEFERRED) else None
    return f"{email}: {_told(line)}" + (f"; the issue is {hold_line(hold)}" if hold else "")


def _told(line: Line) -> str:  # noqa: PLR0911 - one for each state
    reply = f" ({line.code} {line.reply})" if line.code else ""
    ended = f" at {local(line.ended_at)}" if line.ended_at else ""
    because = f": {line.reason}" if line.reason else ""
    match line.state:
        case State.SENT:
            return f"the mail server took it{ended}{reply}; what it did with it, only its log tells"
        case State.QUEUED | State.DEFERRED:
            tries = f" after {counted(line.attempts, 'attempt')}" if line.attempts else ""
            return f"waiting{tries}, next at {local(line.due_at)}{because}{reply}"
        case State.SENDING:
            return "being sent at this moment"
        case State.REJECTED:
            return f"refused by the mail server{ended}{because}{reply}"
        case State.UNCERTAIN:
            return f"perhaps sent: the connection was cut before the reply{because}"
        case State.EXPIRED:
            return f"given up{ended}, it was too late{because}"
        case State.EXCLUDED:
            return f"left out on purpose{because}"


def _missing(store: Store, subscriber: int, decided: Decided) -> str:
    """Why somebody known was no recipient, as far as it can be told from what they are now."""
    reader = store.subscribers.of(subscriber, decided.newsletter)
    if reader is None or not reader.state:
        return f"never signed up for {decided.newsletter}"
    since = f" on {local(reader.since)}" if reader.since else ""
    if reader.state == "pending":
        return f"signed up{since}, and has not confirmed it"
    if reader.state == "left":
        return f"left{since}"
    if reader.since and reader.since > decided.decided_at:
        return f"confirmed{since}, after the issue was published at {local(decided.decided_at)}"
    return f"reads the {reader.cadence} issue, and this one was not for them"
