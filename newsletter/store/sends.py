"""Sends to named people that nobody waits for, and how far each has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from newsletter.errors import NotFound
from newsletter.store.db import Database
from newsletter.store.owner import is_gone
from newsletter.store.schema import sends

WAITING, RUNNING, DONE, SKIPPED, FAILED = "waiting", "running", "done", "skipped", "failed"
INTERRUPTED = "interrupted"  # the process that did it is gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """A send that was ordered; `reason` says why it was skipped or failed."""

    id: int
    at: datetime
    who: str
    newsletter: str
    slot: str
    recipients: int
    state: str
    reason: str
    issue: int | None
    ended_at: datetime | None


_ORDERED = tuple(sends.c[name] for name in Ordered.__dataclass_fields__)


class Sends:
    """The table `sends`."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        self._db = db

    def add(self, *, who: str, newsletter: str, slot: str, recipients: int, owner: str, now: datetime) -> int:
        """A send that waits for its turn in a process; its number."""
        row = {"who": who, "newsletter": newsletter, "slot": slot, "recipients": recipients, "owner": owner}
        insert = sends.insert().values(**row, state=WAITING, at=now).returning(sends.c.id)
        with self._db.writing() as connection:
            return int(connection.execute(insert).scalar_one())

    def begin(self, number: int) -> None:
        """Its turn has come."""
        with self._db.writing() as connection:
            connection.execute(sends.update().where(sends.c.id == number).values(state=RUNNING))

    def end(self, number: int, *, state: str, reason: str = "", issue: int | None = None, now: datetime) -> None:
        """What came of it."""
        values = {"state": state, "reason": reason, "issue": issue, "ended_at": now}
        with self._db.writing() as connection:
            connection.execute(sends.update().where(sends.c.id == number).values(values))

    def get(self, number: int) -> Ordered:
        """A send by its number. NotFound."""
        query = sa.select(*_ORDERED, sends.c.owner).where(sends.c.id == number)
        with self._db.reading() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            raise NotFound(f"there is no send {number}")
        found = dict(row)
        if found.pop("owner") and row["ended_at"] is None and is_gone(row["owner"]):
            found["state"] = INTERRUPTED
        return Ordered(**found)
