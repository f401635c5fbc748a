"""What became of everybody, by the server's log and by the ledger. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.crash.sink import Taken
from newsletter.model import State


@dataclass(frozen=True, slots=True)
class Entered:
    """A recipient's line in the ledger, and how often it is on record as uncertain."""

    recipient: str
    state: State
    uncertain: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The comparison. The tuples name recipients; `allowed` is how many mails were perhaps on their way at the cuts."""

    recipients: int
    taken: int
    allowed: int
    doubled: int
    uncertain: int
    lost: tuple[str, ...] = ()  # by the ledger sent, or not in it at all; the server has nothing
    unfinished: tuple[str, ...] = ()  # not sent by the ledger
    unknown: tuple[str, ...] = ()  # the server has a mail for somebody who is not in the ledger
    unrecorded: tuple[str, ...] = ()  # more copies than the ledger accounts for
    renamed: tuple[str, ...] = ()  # copies under different Message-IDs, or under somebody else's

    @property
    def faults(self) -> list[str]:
        """What must not be, one line each; empty when all is well."""
        told = {
            "lost": self.lost,
            "not sent": self.unfinished,
            "not in the ledger": self.unknown,
            "more copies than uncertain ends": self.unrecorded,
            "several Message-IDs, or another's": self.renamed,
        }
        faults = [f"{what}: {len(who)}, such as {who[0]}" for what, who in told.items() if who]
        if self.doubled > self.allowed:
            faults.append(f"{self.doubled} copies too many, {self.allowed} mails were on their way at the cuts")
        return faults


def draw_up(taken: Sequence[Taken], ledger: Sequence[Entered], *, expected: Sequence[str], allowed: int) -> Account:
    """Compare the log with the ledger, and both with those who should have got the issue."""
    copies = Counter(mail.recipient for mail in taken)
    ids: dict[str, set[str]] = defaultdict(set)
    owners: dict[str, set[str]] = defaultdict(set)
    for mail in taken:
        ids[mail.recipient].add(mail.message_id)
        owners[mail.message_id].add(mail.recipient)
    lines = {line.recipient: line for line in ledger}
    return Account(
        recipients=len(expected),
        taken=len(taken),
        allowed=allowed,
        doubled=sum(copies.values()) - len(copies),
        uncertain=sum(line.uncertain for line in ledger),
        lost=tuple(who for who in expected if not copies[who] and (who not in lines or lines[who].state is State.SENT)),
        unfinished=tuple(line.recipient for line in ledger if line.state is not State.SENT),
        unknown=tuple(sorted(copies.keys() - lines.keys())),
        unrecorded=tuple(line.recipient for line in ledger if copies[line.recipient] > 1 + line.uncertain),
        renamed=tuple(
            who
            for who, theirs in sorted(ids.items())
            if len(theirs) > 1 or "" in theirs or any(len(owners[one]) > 1 for one in theirs)
        ),
    )
