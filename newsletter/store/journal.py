"""What senders did, a row for each turn of sending, before it is written into the ledger a thousand at a time.

    turn -> write() a row: these begin, these were sent          fold() -> their deliveries, and the row is gone

To change a delivery twice for each message, once before its body leaves and once for the reply, costs more than the
message. A row of the journal stands for a whole turn, in the transaction that clears its bodies; if the process ends,
whoever takes over folds what it left. Until then `told` and `unfolded` tell what the deliveries do not say yet.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsletter.model import State
from newsletter.store.db import Database
from newsletter.store.prepared import Prepared
from newsletter.store.schema import deliveries, journal

Taken = tuple[int, int, str]
"""A delivery whose message was taken, with the code and the text of the reply."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One row: what began, and what was sent."""

    id: int
    at: datetime
    begun: Sequence[int]
    sent: Sequence[Taken]


@dataclass(frozen=True, slots=True)
class Told:
    """What the deliveries of an issue do not say yet: which began, and the reply to those that were sent, and when."""

    begun: Collection[int]
    sent: Mapping[int, tuple[int, str, datetime]]


class Journal:
    """The table `journal`. All of it runs in the caller's transactions."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        self._write = Prepared(_WRITE, db.engine.dialect)
        self._begun = Prepared(_BEGUN, db.engine.dialect)
        self._sent = Prepared(_SENT, db.engine.dialect)

    def write(
        self,
        connection: sa.Connection,
        *,
        owner: str,
        issue: int,
        begun: Sequence[int],
        sent: Sequence[Taken],
        now: datetime,
    ) -> None:
        """These deliveries of an issue begin, and those were sent."""
        if begun or sent:
            row = {"b_sent": len(sent), "b_entries": json.dumps([begun, sent], separators=(",", ":"))}
            self._write.run(connection, [row], shared={"b_owner": owner, "b_issue": issue, "b_at": now})

    def fold(self, connection: sa.Connection, owner: str) -> None:
        """Write what an owner did into its deliveries.

        Of one that it no longer holds only "sent" is kept, and only where nobody has begun to send it again.
        """
        turns = list(_turns(connection, journal.c.owner == owner))
        done = {number for turn in turns for number, _, _ in turn.sent}
        for turn in turns:
            shared = {"b_owner": owner, "b_at": turn.at}
            sent = [{"b_id": number, "b_code": code, "b_reply": reply} for number, code, reply in turn.sent]
            under_way = [{"b_id": number} for number in turn.begun if number not in done]
            if sent:
                self._sent.run(connection, sent, shared=shared)
            if under_way:
                self._begun.run(connection, under_way, shared=shared)
        if turns:
            connection.execute(journal.delete().where(journal.c.owner == owner, journal.c.id <= turns[-1].id))


def told(connection: sa.Connection, issue: int) -> Told:
    """What there is to add to the deliveries of an issue, if they are read after it."""
    turns = list(_turns(connection, journal.c.issue == issue))
    return Told(
        begun={number for turn in turns for number in turn.begun},
        sent={number: (code, reply, turn.at) for turn in turns for number, code, reply in turn.sent},
    )


def owners(connection: sa.Connection) -> set[str]:
    """Whose rows there are."""
    return set(connection.execute(sa.select(journal.c.owner).distinct()).scalars())


def unfolded(issue: Any) -> sa.ScalarSelect[int]:
    """For queries: how many messages of an issue were sent whose deliveries do not say so yet."""
    return sa.select(sa.func.coalesce(sa.func.sum(journal.c.sent), 0)).where(journal.c.issue == issue).scalar_subquery()


def _turns(connection: sa.Connection, which: sa.ColumnElement[bool]) -> Iterator[Turn]:
    """These rows, in their order."""
    query = sa.select(journal.c.id, journal.c.at, journal.c.entries).where(which).order_by(journal.c.id)
    for row in connection.execute(query):
        begun, sent = json.loads(row.entries)
        yield Turn(row.id, row.at, begun, sent)


_WRITE = journal.insert().values(
    owner=sa.bindparam("b_owner"),
    issue=sa.bindparam("b_issue"),
    at=sa.bindparam("b_at"),
    sent=sa.bindparam("b_sent"),
    entries=sa.bindparam("b_entries"),
)
_HELD = (deliveries.c.state == State.SENDING) & (deliveries.c.owner == sa.bindparam("b_owner"))
_FIRST = sa.case((deliveries.c.started_at.is_(None), 1), else_=0)  # a turn that was told twice counts once
_BEGUN = (
    deliveries.update()
    .where(deliveries.c.id == sa.bindparam("b_id"), _HELD)
    .values(started_at=sa.bindparam("b_at"), attempts=deliveries.c.attempts + _FIRST)
)
_SENT = (
    deliveries.update()
    .where(deliveries.c.id == sa.bindparam("b_id"), _HELD | (deliveries.c.state == State.UNCERTAIN))
    .values(
        state=State.SENT,
        reason="",
        code=sa.bindparam("b_code"),
        reply=sa.bindparam("b_reply"),
        owner="",
        attempts=deliveries.c.attempts + _FIRST,
        started_at=sa.func.coalesce(deliveries.c.started_at, sa.bindparam("b_at")),
        ended_at=sa.bindparam("b_at"),
    )
)
