"""What is on its way to one reader and has not begun to leave: left out, or moved, by what they chose since.

Only rows that no process holds are touched. What a process has in its hands at that moment still goes.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from newsletter.model import Slot, State
from newsletter.store.apart import GOT
from newsletter.store.db import Database
from newsletter.store.schema import deliveries, issues

_OPEN = (State.QUEUED, State.DEFERRED)
_LATELY = timedelta(days=14)  # longer nobody waits for the one before


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """A delivery to a reader that is planned, under way or done; `waits` where it may still be moved."""

    delivery: int
    slot: Slot
    planned_at: datetime
    waits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """When a delivery is to go instead, by whose clocks, and when it is too late."""

    delivery: int
    at: datetime
    zone: str
    expires_at: datetime


class Waiting:
    """The rows of `deliveries` of one reader."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        self._db = db

    def list(self, subscriber: int, newsletter: str, *, now: datetime) -> builtins.list[Coming]:
        """What a reader has had lately of a newsletter or has coming, by the order of its issues.

        What an operator sent by hand, or queued again, does not wait: it goes as they said.
        """
        query = (
            sa.select(
                deliveries.c.id,
                deliveries.c.state,
                sa.func.coalesce(deliveries.c.planned_at, deliveries.c.due_at, type_=deliveries.c.due_at.type).label(
                    "planned_at"
                ),
                deliveries.c.expires_at,
                deliveries.c.zone,
                issues.c.slot,
                issues.c.at,
            )
            .join(issues, issues.c.id == deliveries.c.issue)
            .where(deliveries.c.subscriber == subscriber, deliveries.c.state.in_(GOT))
            .where(issues.c.newsletter == newsletter, issues.c.at > now - _LATELY)
            .order_by(issues.c.at, issues.c.id)
        )
        with self._db.reading() as connection:
            rows = connection.execute(query).all()
        return [
            Coming(
                delivery=row.id,
                slot=read_slot(newsletter, row.slot, row.at),
                planned_at=row.planned_at,
                waits=row.state == State.QUEUED and bool(row.zone) and row.expires_at is not None,
            )
            for row in rows
        ]

    def move(self, moves: Iterable[Move]) -> int:
        """Let these go at other moments, as far as they still wait; how many did."""
        queued = deliveries.update().where(deliveries.c.state == State.QUEUED)
        with self._db.writing() as connection:
            return sum(
                connection.execute(
                    queued.where(deliveries.c.id == move.delivery).values(
                        planned_at=move.at, due_at=move.at, expires_at=move.expires_at, zone=move.zone, reason=""
                    )
                ).rowcount
                for move in moves
            )


def leave_out(connection: sa.Connection, subscriber: int, newsletter: str, *, until: date, now: datetime) -> None:
    """Within a transaction, leave out what waits for somebody who has paused, of the days before the one they named."""
    query = (
        sa.select(deliveries.c.id, issues.c.slot, issues.c.at)
        .join(issues, issues.c.id == deliveries.c.issue)
        .where(deliveries.c.subscriber == subscriber, deliveries.c.state.in_(_OPEN))
        .where(issues.c.newsletter == newsletter)
    )
    found = connection.execute(query).all()
    before = [row.id for row in found if read_slot(newsletter, row.slot, row.at).date < until]
    left_out = deliveries.update().where(deliveries.c.id.in_(before), deliveries.c.state.in_(_OPEN))
    values = {"state": State.EXCLUDED, "reason": f"paused until {until.isoformat()}", "ended_at": now}
    connection.execute(left_out.values(values))


def read_slot(newsletter: str, key: str, at: datetime) -> Slot:
    """The slot of an issue, by its key."""
    schedule, _, moment = key.rpartition("/")
    day, _, time = moment.partition("T")
    return Slot(newsletter=newsletter, schedule=schedule, date=date.fromisoformat(day), at=at, time=time)
