"""The append-only log: consent, suppression, uncertain ends, what operators did. The database lets nobody change it."""

from __future__ import annotations

import builtins
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from newsletter.store.db import Database
from newsletter.store.schema import events


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, and to whom."""

    at: datetime
    kind: str
    subscriber: int | None = None
    delivery: int | None = None
    issue: int | None = None
    newsletter: str = ""
    detail: str = ""


class Events:
    """The table `events`."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        self._db = db

    def list(
        self, *, subscriber: int | None = None, delivery: int | None = None, issue: int | None = None
    ) -> builtins.list[Event]:
        """Everything that happened to a subscriber, a delivery or an issue as a whole, oldest first."""
        query = sa.select(*(events.c[name] for name in Event.__dataclass_fields__)).order_by(events.c.id)
        if subscriber is not None:
            query = query.where(events.c.subscriber == subscriber)
        if delivery is not None:
            query = query.where(events.c.delivery == delivery)
        if issue is not None:
            query = query.where(events.c.issue == issue)
        with self._db.reading() as connection:
            return [Event(**row) for row in connection.execute(query).mappings()]


def erase(connection: sa.Connection, people: Collection[int]) -> None:
    """Within a transaction, leave what happened to these subscribers without them and without its words.

    It is the one change of a row that the database allows, and nobody who is in the log can be deleted before it.
    """
    theirs = events.update().where(events.c.subscriber.in_(people))
    connection.execute(theirs.values(subscriber=None, detail=""))
