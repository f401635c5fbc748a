"""What senders did, a row for each turn of sending, before it is written into the ledger a thousand at a time.

    turn -> write() a row: these begin, these were sent          fold() -> their deliveries, and the row is gone

To change a delivery twice for each message, once before its body leaves and once for the reply, costs more than the
message. A row of the journal stands for a whole turn, in the transaction that clears its bodies; if the process ends,
whoever takes over folds what it left. Until then `told` and `unfolded` tell what the deliveries do not say yet.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
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


class Turn:
    """One row: what began, and what was sent; when, as whoever read it gave it."""

    def __init__(self, id: int, at: Any, begun: str, taken: str) -> None:  # noqa: A002  # as the column
        """From the columns of these names."""
        self.id = id
        self.at = at
        self.begun: Sequence[int] = json.loads(begun) or ()
        self.sent: Sequence[Taken] = json.loads(taken)


@dataclass(frozen=True, slots=True)
class Told:
    """What the deliveries of an issue do not say yet: which began, and the reply to those that were sent, and when."""

    begun: Collection[int]
    sent: Mapping[int, tuple[int, str, datetime]]


class Journal:
    """The table `journal`. All of it runs in the caller's transactions."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        dialect = db.engine.dialect
        self._turns = Prepared(_OF_OWNER, dialect, ["b_owner"])
        self._sent = Prepared(_SENT, dialect, ["b_owner", "b_at", "b_id", "b_code", "b_reply"])
        self._begun = Prepared(_BEGUN, dialect, ["b_owner", "b_at", "b_id"])
        self._folded = Prepared(_FOLDED, dialect, ["b_owner", "b_last"])

    def fold(self, connection: sa.Connection, owner: str) -> None:
        """Write what an owner did into its deliveries.

        Of one that it no longer holds only "sent" is kept, and only where nobody has begun to send it again.
        """
        turns = [Turn(*row) for row in self._turns.all(connection, [owner])]
        if not turns:
            return
        sent = [(owner, turn.at, *one) for turn in turns for one in turn.sent]
        done = {number for _, _, number, _, _ in sent}
        under_way = [(owner, turn.at, number) for turn in turns for number in turn.begun if number not in done]
        if sent:
            self._sent.run(connection, sent)
        if under_way:
            self._begun.run(connection, under_way)
        self._folded.run(connection, [(owner, turns[-1].id)])


def told(connection: sa.Connection, issue: int) -> Told:
    """What there is to add to the deliveries of an issue, if they are read after it."""
    turns = [Turn(*row) for row in connection.execute(_TURNS.where(journal.c.issue == issue))]
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


def entry(begun: sa.ColumnElement[str]) -> sa.Insert:
    """The statement that writes a turn: the values of `ENTRY`, and what `begun` finds out, which is returned."""
    names = [name.removeprefix("b_") for name in ENTRY]
    values = [sa.bindparam(f"b_{name}", type_=journal.c[name].type) for name in names]
    return journal.insert().from_select([*names, "begun"], sa.select(*values, begun)).returning(journal.c.begun)


ENTRY = ("b_owner", "b_issue", "b_at", "b_sent", "b_taken")


def told_of(*, owner: str, issue: int, sent: Sequence[Taken], now: datetime) -> Sequence[object]:
    """The values of an `ENTRY` of a turn in which these were sent."""
    return owner, issue, now, len(sent), json.dumps(sent)


_TURNS = sa.select(journal.c.id, journal.c.at, journal.c.begun, journal.c.taken).order_by(journal.c.id)
_OF_OWNER = _TURNS.where(journal.c.owner == sa.bindparam("b_owner"))
_FOLDED = journal.delete().where(journal.c.owner == sa.bindparam("b_owner"), journal.c.id <= sa.bindparam("b_last"))
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
